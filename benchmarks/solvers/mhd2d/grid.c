#include "grid.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

double *grid_doubles(size_t count) {
    size_t bytes = (count * sizeof(double) + 63) / 64 * 64;
    double *memory = aligned_alloc(64, bytes);
    if (memory)
        memset(memory, 0, bytes);
    return memory;
}

double *grid_new_state(const grid *g) {
    return grid_doubles(NVAR * g->plane);
}

static int first_cell(int cells, int blocks, int block) {
    return (int)((long)cells * block / blocks);
}

void grid_block(const grid *g, int rank, int *x0, int *y0, int *nx, int *ny) {
    int at[2];
    MPI_Cart_coords(g->comm, rank, 2, at);
    *y0 = first_cell(g->global_ny, g->dims[0], at[0]);
    *x0 = first_cell(g->global_nx, g->dims[1], at[1]);
    *ny = first_cell(g->global_ny, g->dims[0], at[0] + 1) - *y0;
    *nx = first_cell(g->global_nx, g->dims[1], at[1] + 1) - *x0;
}

int grid_create(grid *g, MPI_Comm comm, int nx, int ny, double lx, double ly) {
    memset(g, 0, sizeof *g);
    g->comm = MPI_COMM_NULL;
    MPI_Comm_size(comm, &g->ranks);
    MPI_Dims_create(g->ranks, 2, g->dims);
    if (nx / g->dims[1] < GHOST || ny / g->dims[0] < GHOST)
        return fail("grid: %d x %d cells on %d x %d ranks leave a block of fewer than %d cells a side; "
                    "use more cells or fewer ranks",
                    nx, ny, g->dims[1], g->dims[0], (int)GHOST);
    MPI_Cart_create(comm, 2, g->dims, (int[2]){1, 1}, 0, &g->comm);
    MPI_Comm_rank(g->comm, &g->rank);
    MPI_Cart_coords(g->comm, g->rank, 2, g->coords);
    MPI_Cart_shift(g->comm, 0, 1, &g->south, &g->north);
    MPI_Cart_shift(g->comm, 1, 1, &g->west, &g->east);
    g->global_nx = nx;
    g->global_ny = ny;
    g->lx = lx;
    g->ly = ly;
    g->dx = lx / nx;
    g->dy = ly / ny;
    grid_block(g, g->rank, &g->x0, &g->y0, &g->nx, &g->ny);
    g->pitch = (LEFT_PAD + g->nx + GHOST + 1 + 7) / 8 * 8;
    g->plane = (size_t)g->pitch * (g->ny + 2 * GHOST);
    int longest = g->ny > g->nx + 2 * GHOST ? g->ny : g->nx + 2 * GHOST;
    int short_of_memory = 0, anywhere = 0;
    for (int side = 0; side < 2; side++) {
        g->send[side] = grid_doubles((size_t)NVAR * GHOST * longest);
        g->recv[side] = grid_doubles((size_t)NVAR * GHOST * longest);
        short_of_memory |= !g->send[side] || !g->recv[side];
    }
    MPI_Allreduce(&short_of_memory, &anywhere, 1, MPI_INT, MPI_MAX, g->comm);
    return anywhere ? fail("grid: no memory for the halo buffers of %d x %d cells", nx, ny) : 0;
}

void grid_destroy(grid *g) {
    for (int side = 0; side < 2; side++) {
        free(g->send[side]);
        free(g->recv[side]);
    }
    if (g->comm != MPI_COMM_NULL)
        MPI_Comm_free(&g->comm);
}

/* Send `send[0]` to the lower and `send[1]` to the upper neighbour; recv[0] comes from the lower one. */
static void swap_messages(grid *g, int lower, int upper, int count) {
    MPI_Request request[4];
    MPI_Irecv(g->recv[0], count, MPI_DOUBLE, lower, 1, g->comm, &request[0]);
    MPI_Irecv(g->recv[1], count, MPI_DOUBLE, upper, 0, g->comm, &request[1]);
    MPI_Isend(g->send[0], count, MPI_DOUBLE, lower, 0, g->comm, &request[2]);
    MPI_Isend(g->send[1], count, MPI_DOUBLE, upper, 1, g->comm, &request[3]);
    MPI_Waitall(4, request, MPI_STATUSES_IGNORE);
}

static void exchange_x(grid *g, double *state) {
    int n = g->nx;
    if (g->dims[1] == 1) { /* periodic onto itself */
        for (int v = 0; v < NVAR; v++)
            for (int j = 0; j < g->ny; j++) {
                double *row = grid_row(g, state, v, j);
                for (int k = 0; k < GHOST; k++) {
                    row[k - GHOST] = row[n - GHOST + k];
                    row[n + k] = row[k];
                }
            }
        return;
    }
    size_t at = 0;
    for (int v = 0; v < NVAR; v++)
        for (int j = 0; j < g->ny; j++, at += GHOST) {
            const double *row = grid_row(g, state, v, j);
            memcpy(g->send[0] + at, row, GHOST * sizeof *row);
            memcpy(g->send[1] + at, row + n - GHOST, GHOST * sizeof *row);
        }
    swap_messages(g, g->west, g->east, (int)at);
    at = 0;
    for (int v = 0; v < NVAR; v++)
        for (int j = 0; j < g->ny; j++, at += GHOST) {
            double *row = grid_row(g, state, v, j);
            memcpy(row - GHOST, g->recv[0] + at, GHOST * sizeof *row);
            memcpy(row + n, g->recv[1] + at, GHOST * sizeof *row);
        }
}

/* Rows travel with their x ghosts, so that the corners come along. */
static void exchange_y(grid *g, double *state) {
    int n = g->ny, width = g->nx + 2 * GHOST;
    size_t bytes = width * sizeof(double), at = 0;
    for (int v = 0; v < NVAR; v++)
        for (int k = 0; k < GHOST; k++, at += width) {
            double *low = grid_row(g, state, v, k) - GHOST, *high = grid_row(g, state, v, n - GHOST + k) - GHOST;
            if (g->dims[0] == 1) {
                memcpy(grid_row(g, state, v, n + k) - GHOST, low, bytes);
                memcpy(grid_row(g, state, v, k - GHOST) - GHOST, high, bytes);
            } else {
                memcpy(g->send[0] + at, low, bytes);
                memcpy(g->send[1] + at, high, bytes);
            }
        }
    if (g->dims[0] == 1)
        return;
    swap_messages(g, g->south, g->north, (int)at);
    at = 0;
    for (int v = 0; v < NVAR; v++)
        for (int k = 0; k < GHOST; k++, at += width) {
            memcpy(grid_row(g, state, v, k - GHOST) - GHOST, g->recv[0] + at, bytes);
            memcpy(grid_row(g, state, v, n + k) - GHOST, g->recv[1] + at, bytes);
        }
}

void grid_exchange(grid *g, double *state) {
    exchange_x(g, state);
    exchange_y(g, state);
}
