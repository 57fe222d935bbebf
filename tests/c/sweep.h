/* Arguments of the sweep over every public function. */
#ifndef SWEEP_H
#define SWEEP_H

#include "check.h"

/* Arguments that are right for the bundle "parameter": one field u, one parameter, any grid. */
static int64_t shape[3] = {1, 2, 3};
static double now[6] = {1, 2, 3, 4, 5, 6}, next[6];
static surrogate_field in[1], out[1];

static void describe(void) {
    int i;
    surrogate_field_init(&in[0], "u", now, SURROGATE_FLOAT64, 2, shape + 1);
    surrogate_field_init(&out[0], "u", next, SURROGATE_FLOAT64, 2, shape + 1);
    for (i = 0; i < 6; ++i)
        next[i] = -77;
}

static int untouched(void) {
    int i, same = 1;
    for (i = 0; i < 6; ++i)
        same = same && next[i] == -77;
    return same;
}

#define ARGUMENT(call, part) CHECK_STATUS(call, SURROGATE_ERROR_ARGUMENT, part)

#endif
