/* Waiting without burning a core: rank 0 may be running a neural net with every core of the node meanwhile. */
#ifndef MHD2D_PATIENCE_H
#define MHD2D_PATIENCE_H

#include <mpi.h>

/* Complete `request`, asleep between tests. */
void patient_wait(MPI_Request *request);

/* Rank 0's bytes to all ranks of `comm`. Collective. */
void patient_bcast(void *data, int bytes, MPI_Comm comm);

#endif
