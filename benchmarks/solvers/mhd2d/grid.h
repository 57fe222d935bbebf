/* The grid: a periodic rectangle in 2-D Cartesian MPI blocks, and the state that lives on it.
 *
 * A state is NVAR planes, each (ny + 2 GHOST) rows of `pitch` doubles. rho, mx, my and en are cell averages;
 * az sits at the lower left corner of its cell, at position (i dx, j dy). Units: mu0 = 1.
 */
#ifndef MHD2D_GRID_H
#define MHD2D_GRID_H

#include <mpi.h>
#include <stddef.h>

enum { RHO, MX, MY, EN, AZ, NVAR };
enum { GHOST = 3, LEFT_PAD = 8 }; /* LEFT_PAD puts cell 0 of every row on a cache line */

typedef struct {
    int global_nx, global_ny; /* whole grid */
    int nx, ny;               /* this rank's block */
    int x0, y0;               /* its first cell in the whole grid */
    int pitch;                /* doubles from a row to the next */
    size_t plane;             /* doubles from a variable to the next */
    double lx, ly, dx, dy;
    MPI_Comm comm; /* Cartesian, periodic */
    int rank, ranks;
    int dims[2], coords[2]; /* y, x: MPI's row-major order */
    int west, east, south, north;
    double *send[2], *recv[2]; /* halo messages, one a side */
} grid;

/* Split nx × ny cells over `comm`. Collective; fails alike on every rank. */
int grid_create(grid *g, MPI_Comm comm, int nx, int ny, double lx, double ly);
void grid_destroy(grid *g);

/* The block of any rank: first cell and size. */
void grid_block(const grid *g, int rank, int *x0, int *y0, int *nx, int *ny);

/* Zeroed, cache-line aligned memory; NULL when there is none. Free with free(). */
double *grid_doubles(size_t count);
double *grid_new_state(const grid *g);

/* Fill the GHOST layers of all variables from the neighbours, corners included. Collective. */
void grid_exchange(grid *g, double *state);

/* Cell (0, j) of one variable: index it with i in [-GHOST, nx + GHOST). */
static inline double *grid_row(const grid *g, double *state, int variable, int j) {
    return state + variable * g->plane + (size_t)(j + GHOST) * g->pitch + LEFT_PAD;
}

#endif
