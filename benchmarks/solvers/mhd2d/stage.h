/* One Runge-Kutta stage of the finite-volume scheme, streamed over the rows of a block. */
#ifndef MHD2D_STAGE_H
#define MHD2D_STAGE_H

#include "grid.h"
#include "induction.h"

typedef struct {
    double gamma;
    mean_field b0;
    double rho_floor, p_floor;
    long floor_count; /* own cells that had to be lifted to a floor, over all stages */
} gas;

/* Row buffers that stay in cache; created once. */
typedef struct {
    double *memory;
    double *w[4];     /* primitives and cell fields of four rows in turn */
    double *slope[2]; /* y slopes of two rows in turn */
    double *slope_x;
    double *fx[2], *fy[2]; /* fluxes of two rows in turn */
    int pitch;
} workspace;

int workspace_create(workspace *w, const grid *g);
void workspace_destroy(workspace *w);

/* out = old + weight ((in - old) + dt L(in)) on the block's own cells and corners; `in` has valid ghosts. `out` may be
 * `old`, not `in`. Cells of `in` below a floor are lifted first, and counted. */
void stage_advance(const grid *g, gas *gas, workspace *work, double *in, double *old, double *out, double dt,
                   double weight);

#endif
