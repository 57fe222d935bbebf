/* The surrogate in the solver's loop: one jump in place of an interval's steps, on any number of ranks. */
#ifndef MHD2D_JUMP_H
#define MHD2D_JUMP_H

#include <surrogate/surrogate_mpi.h>

#include "options.h"
#include "solver.h"

/* What jumps cost on this rank, summed over them. */
typedef struct {
    long jumps, refused;
    double pack_seconds, exchange_seconds, program_seconds, agree_seconds, output_seconds;
    double bytes_received, minimum_bytes;
} jump_cost;

typedef struct {
    surrogate_mpi_model *model; /* NULL: the solver steps natively */
    surrogate_step_options step;
    double *block; /* the primitives of this rank's block, input and output of the model */
    jump_cost cost;
} jumper;

/* Open o->surrogate on the solver's ranks, for jumps of `interval`: refused if its time step, cell size or physics are
 * others. Without --surrogate nothing is opened. 0, or -1 on every rank. Collective. */
int jumper_open(jumper *j, const options *o, const solver *s, double interval);
void jumper_close(jumper *j); /* collective */

/* From the solver's time to `time` by the surrogate, or by stepping where it refuses. Returns the steps that were
 * taken, or -1 on every rank when both failed. Collective. */
long jumper_jump(jumper *j, solver *s, double time);

/* Print on rank 0 how the jumps went: mean seconds a jump, the largest of all ranks. Collective. */
void jumper_report(const jumper *j, const solver *s, int json);

#endif
