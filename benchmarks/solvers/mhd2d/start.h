/* The solver at the beginning of a run: an initial state, or a frame of an earlier run. */
#ifndef MHD2D_START_H
#define MHD2D_START_H

#include "frame_file.h"
#include "options.h"

/* Create the solver on MPI_COMM_WORLD and set its state; `constants` is what its output files carry. Collective. */
int start_solver(const options *o, solver *s, run_constants *constants);

#endif
