/* What is measured: one mode on some ranks of the world and one domain. */
#ifndef SCALING_CASES_H
#define SCALING_CASES_H

#include <surrogate/surrogate_mpi.h>

#include "state.h"

enum { PARTS = 5 }; /* pack, exchange, program, agree, output */
extern const char *const PART_NAMES[PARTS];

/* One jump, on the ranks of a case together. */
typedef struct {
    double seconds;     /* of the slowest rank */
    double mean[PARTS]; /* seconds, over ranks */
    double least_agree; /* of the rank that waits least */
} jump_sample;

typedef struct {
    char text[64]; /* as given: MODE:RANKS:NY:NX:THREADS, mode "serial" for surrogate_predict */
    int mode;      /* enum surrogate_mpi_mode; -1: serial */
    int ranks, threads;
    int64_t ny, nx;
    MPI_Comm comm; /* the first `ranks` ranks; MPI_COMM_NULL on others */
    block block;   /* this rank's */
    surrogate_mpi_model *model;
    surrogate_model *serial;
    surrogate_step_options step;
    double *input, *output; /* [channels][block] */
    jump_sample *samples;   /* one a round, on rank 0 */
    double open_seconds;
} scaling_case;

/* Parse, split the world, open the bundle, fill the input. Collective over the world; -1 with a text on stderr. */
int case_open(scaling_case *c, const char *text, const char *bundle, const state *s, int rounds);
void case_close(scaling_case *c);

/* One jump of this rank's block; negative with a text on stderr. Collective over c->comm. */
int case_jump(const scaling_case *c, int64_t channels);

#endif
