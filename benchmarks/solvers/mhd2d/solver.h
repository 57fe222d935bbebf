/* The solver: 2-D compressible ideal MHD on a periodic rectangle, vz = Bz = 0, mu0 = 1.
 *
 * Second-order finite volume: MUSCL on primitives, HLLD, Heun's two-stage Runge-Kutta, unsplit, constrained transport.
 * Every cell's arithmetic is the same on any block, so a run is bit-identical on any number of ranks.
 */
#ifndef MHD2D_SOLVER_H
#define MHD2D_SOLVER_H

#include "grid.h"
#include "stage.h"

typedef struct {
    grid grid;
    gas gas;
    workspace work;
    double *state, *half; /* the state, ghosts valid between calls; the first stage's result */
    double cfl, time;
    long steps;     /* since the start */
    double seconds; /* wall time spent in solver_advance on this rank */
} solver;

/* Integrals over the domain. */
typedef struct {
    double mass, momentum_x, momentum_y, energy;
} totals;

/* A solver at rest with no state yet. Collective; on failure 0 is not returned, on any rank. */
int solver_create(solver *s, MPI_Comm comm, int nx, int ny, double lx, double ly, double gamma, mean_field b0,
                  double cfl);
void solver_destroy(solver *s);

/* Step to exactly `time`; the last steps are shortened to land there. Returns the number of steps, or -1 on every rank
 * when the state is no longer finite. Collective. */
long solver_advance(solver *s, double time);

/* Largest (|v| + fast speed) / cell width over both directions and all cells, in 1/time; infinite if a cell is not
 * finite. Collective. */
double solver_signal(solver *s);

totals solver_totals(solver *s);    /* collective */
double solver_max_div_b(solver *s); /* max |div B| dx / max |B|; collective */
long solver_floor_count(solver *s); /* all ranks together; collective */

#endif
