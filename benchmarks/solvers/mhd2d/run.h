/* A run: set up the state, advance from frame time to frame time, write, report. */
#ifndef MHD2D_RUN_H
#define MHD2D_RUN_H

#include "options.h"

/* What happens between two frame times. */
typedef struct {
    long steps;
    double seconds; /* wall time of the advance alone, this rank */
} interval_cost;

/* 0, or -1 with last_error() set on at least one rank. Collective. */
int run(const options *o);

#endif
