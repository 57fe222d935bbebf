/* The command line. */
#ifndef MHD2D_OPTIONS_H
#define MHD2D_OPTIONS_H

#include "problem.h"

typedef struct {
    problem_choice problem;
    int nx, ny;                               /* 0: the problem's default, or the restart frame's own */
    double cfl, t_end, first_frame, interval; /* NAN: not given */
    int frames;                               /* 0: only the state at t_end */
    const char *output, *restart;             /* NULL: none */
    int restart_frame;                        /* counts from the end when negative */
    int in_double, json;
    int repeat;            /* 0: once; else the interval after the restart frame this often */
    const char *surrogate; /* bundle; NULL: step natively */
    int surrogate_mode;    /* enum surrogate_mpi_mode */
    int surrogate_threads; /* of a rank that runs programs; 0: the library's choice */
    int tile[2];           /* y, x: tiles without their halo; 0: the ranks' blocks */
} options;

/* 0: run; 1: help was printed, stop with success; -1: error, see last_error(). Only rank 0 prints. */
int options_parse(options *o, int argc, char **argv, int rank);

#endif
