/* A state of the bundles of test_predict.py over a whole domain, and the part of it that a rank holds. */
#ifndef DOMAIN_H
#define DOMAIN_H

#include "check.h"

#include <mpi.h>
#include <surrogate/surrogate_mpi.h>

#include <math.h>

enum { FIELDS = 3, CHANNELS = 4, GHOST = 2 };
/* fields rho, v[2], mask (read only), by channels */
static const char *const NAMES[FIELDS] = {"rho", "v", "mask"};
static const int COMPONENTS[FIELDS] = {1, 2, 1};

typedef struct box {
    int64_t lower[3], upper[3];
} box;

typedef struct domain {
    int axes; /* spatial ones; the others have one cell */
    int64_t shape[3];
} domain;

/* The value of a channel in a cell of the whole domain. */
static inline double value_of(const domain *d, int channel, const int64_t cell[3]) {
    double sum = 0.3 * channel;
    int k;
    for (k = 0; k < d->axes; ++k)
        sum += sin(0.7 * (double)(k + 1) * (double)cell[k] + channel);
    return sum;
}

static inline int64_t cells_of(const box *b) {
    return (b->upper[0] - b->lower[0]) * (b->upper[1] - b->lower[1]) * (b->upper[2] - b->lower[2]);
}

/* Fields over a box with ghost cells around, in one array of doubles or floats: [channel][cells and ghosts]. */
typedef struct state {
    void *values;
    int dtype;
    surrogate_field fields[FIELDS];
    box place;
    int axes;
} state;

static inline int64_t ghosted(const state *s, int axis) {
    return s->place.upper[axis] - s->place.lower[axis] + (axis < s->axes ? 2 * GHOST : 0);
}

/* Index in the array of a channel's cell, counted from the box's first. */
static inline int64_t at(const state *s, int channel, int64_t z, int64_t y, int64_t x) {
    const int64_t cell[3] = {z, y, x};
    int64_t index = channel;
    int k;
    for (k = 0; k < 3; ++k)
        index = index * ghosted(s, k) + cell[k] + (k < s->axes ? GHOST : 0);
    return index;
}

static inline double get(const state *s, int64_t index) {
    return s->dtype == SURROGATE_FLOAT64 ? ((double *)s->values)[index] : (double)((float *)s->values)[index];
}

static inline void set(state *s, int64_t index, double value) {
    if (s->dtype == SURROGATE_FLOAT64)
        ((double *)s->values)[index] = value;
    else
        ((float *)s->values)[index] = (float)value;
}

/* A state over `place`; every value, ghosts too, is `value`, and cells those of the domain if `d` is given. */
static inline state make_state(const domain *d, int axes, const box *place, int dtype, double value) {
    state s;
    int64_t total, i, cell[3], shape[4], ghost[4];
    int c, f, k, first = 0;
    s.dtype = dtype;
    s.place = *place;
    s.axes = axes;
    total = CHANNELS * ghosted(&s, 0) * ghosted(&s, 1) * ghosted(&s, 2);
    s.values = malloc((size_t)total * 8);
    for (i = 0; i < total; ++i)
        set(&s, i, value);
    for (c = 0; d && c < CHANNELS; ++c)
        for (cell[0] = place->lower[0]; cell[0] < place->upper[0]; ++cell[0])
            for (cell[1] = place->lower[1]; cell[1] < place->upper[1]; ++cell[1])
                for (cell[2] = place->lower[2]; cell[2] < place->upper[2]; ++cell[2])
                    set(&s, at(&s, c, cell[0] - place->lower[0], cell[1] - place->lower[1], cell[2] - place->lower[2]),
                        value_of(d, c, cell));
    for (f = 0; f < FIELDS; ++f) {
        const int with_axis = COMPONENTS[f] > 1;
        shape[0] = COMPONENTS[f];
        ghost[0] = 0;
        for (k = 0; k < axes; ++k) {
            shape[with_axis + k] = place->upper[k] - place->lower[k];
            ghost[with_axis + k] = GHOST;
        }
        surrogate_field_init_ghost(&s.fields[f], NAMES[f],
                                   (char *)s.values + first * (total / CHANNELS) * (dtype == SURROGATE_FLOAT64 ? 8 : 4),
                                   dtype, axes + with_axis, shape, ghost);
        if (with_axis)
            s.fields[f].component_axis = 0;
        first += COMPONENTS[f];
    }
    return s;
}

/* Cells where the predicted channels of `part` are not those of `whole`; walls: cells within so many of an edge of the
 * domain along axis 0 are not compared. */
static inline int64_t differences(const domain *d, const state *part, const state *whole, int64_t walls) {
    int64_t cell[3], count = 0;
    int c;
    for (c = 0; c < 3; ++c)
        for (cell[0] = part->place.lower[0]; cell[0] < part->place.upper[0]; ++cell[0])
            for (cell[1] = part->place.lower[1]; cell[1] < part->place.upper[1]; ++cell[1])
                for (cell[2] = part->place.lower[2]; cell[2] < part->place.upper[2]; ++cell[2]) {
                    const int64_t *low = part->place.lower;
                    if (cell[0] < walls || cell[0] >= d->shape[0] - walls)
                        continue;
                    count += get(part, at(part, c, cell[0] - low[0], cell[1] - low[1], cell[2] - low[2])) !=
                             get(whole, at(whole, c, cell[0], cell[1], cell[2]));
                }
    return count;
}

/* Whether every value of a state, ghosts too, is `value`. */
static inline int untouched(const state *s, double value) {
    const int64_t total = CHANNELS * ghosted(s, 0) * ghosted(s, 1) * ghosted(s, 2);
    int64_t i;
    for (i = 0; i < total; ++i)
        if (get(s, i) != value)
            return 0;
    return 1;
}

/* Block `rank` of a lattice of parts; sizes grow along every axis: 1 : 2 : 3 ... */
static inline box uneven_block(const domain *d, const int64_t parts[3], int rank) {
    const int64_t place[3] = {rank / parts[2] / parts[1], rank / parts[2] % parts[1], rank % parts[2]};
    box b;
    int k;
    for (k = 0; k < 3; ++k) {
        const int64_t all = parts[k] * (parts[k] + 1) / 2;
        b.lower[k] = d->shape[k] * (place[k] * (place[k] + 1) / 2) / all;
        b.upper[k] = d->shape[k] * ((place[k] + 1) * (place[k] + 2) / 2) / all;
    }
    return b;
}

static inline surrogate_step_options step_of(const domain *d, const box *block) {
    surrogate_step_options step;
    int k;
    surrogate_step_options_init(&step, sizeof step);
    step.step = 7;
    step.seed = 3;
    for (k = 0; k < d->axes; ++k) {
        step.origin[k] = block->lower[k];
        step.global_shape[k] = d->shape[k];
    }
    return step;
}

/* What one process makes of the whole domain; `rest`: of what it does not predict. */
static inline state serial(const char *path, const domain *d, int dtype, double rest) {
    const box whole = {{0, 0, 0}, {d->shape[0], d->shape[1], d->shape[2]}};
    const surrogate_step_options step = step_of(d, &whole);
    surrogate_model *m = NULL;
    state now = make_state(d, d->axes, &whole, dtype, 0), next = make_state(NULL, d->axes, &whole, dtype, rest);
    if (!CHECK_STATUS(surrogate_open(&m, path, NULL), SURROGATE_OK, ""))
        exit(1);
    CHECK_STATUS(surrogate_predict(m, next.fields, now.fields, FIELDS, &step), SURROGATE_OK, "");
    surrogate_close(m);
    free(now.values);
    return next;
}

#endif
