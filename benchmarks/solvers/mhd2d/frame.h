/* A frame: the whole domain's rho, vx, vy, p (cell averages) and az (corners) in dense arrays on rank 0.
 *
 * Each array is (ny, nx), row-major, x fastest; az[j][i] sits at (i dx, j dy), the rest at the cell centres. Other
 * ranks hold a frame too, with the same shape and no arrays.
 */
#ifndef MHD2D_FRAME_H
#define MHD2D_FRAME_H

#include "primitives.h"

typedef struct {
    int nx, ny;
    double time;
    double *field[FRAME_FIELDS]; /* one block of memory, in this order; NULL away from rank 0 */
    double *packed;              /* scratch for messages */
} frame;

/* Zeroed arrays of (ny, nx) where `rank` is 0; scratch for messages everywhere. -1 when there is no memory. */
int frame_create(frame *f, int nx, int ny, int rank);
void frame_destroy(frame *f);

/* The solver's state, to rank 0. -1 on every rank when a value is not finite. Collective. */
int frame_gather(solver *s, frame *f);

/* The solver's state and time, from rank 0's frame. -1 on every rank when the shapes differ. Collective. */
int frame_scatter(solver *s, frame *f);

/* Rank 0: `coarse` from `fine`, whose shape is a multiple of its own. Means of mass, momentum and total energy over the
 * fine cells, az at the corners that both have; p is what the coarse energy leaves. Exactly conservative. */
int frame_restrict(const frame *fine, frame *coarse, double gamma, mean_field b0, double lx, double ly);

#endif
