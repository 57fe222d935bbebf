/* The state of a rank's block in primitive variables, as it is stored and as a surrogate sees it.
 *
 * FRAME_FIELDS dense arrays one after the other, each (ny, nx), row-major, x fastest: rho, vx, vy, p are cell averages,
 * az[j][i] sits at the corner (i dx, j dy).
 */
#ifndef MHD2D_PRIMITIVES_H
#define MHD2D_PRIMITIVES_H

#include "solver.h"

enum { FRAME_RHO, FRAME_VX, FRAME_VY, FRAME_P, FRAME_AZ, FRAME_FIELDS };

/* This rank's block. Returns the value of a sum that is finite only if all values are. */
double primitives_pack(const solver *s, double *packed);

/* Conserved state from the block's primitives: B from az and the mean field, E from p. Ghosts end up valid.
 * Collective. */
void primitives_unpack(solver *s, const double *packed);

#endif
