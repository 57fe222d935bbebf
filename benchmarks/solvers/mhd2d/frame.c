#include "frame.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

enum { TAG_GATHER = 10, TAG_SCATTER = 11 };

int frame_create(frame *f, int nx, int ny, int rank) {
    size_t cells = (size_t)nx * ny;
    *f = (frame){.nx = nx, .ny = ny};
    f->packed = grid_doubles(FRAME_FIELDS * cells + 1);
    if (rank == 0) {
        double *memory = grid_doubles(FRAME_FIELDS * cells);
        for (int k = 0; memory && k < FRAME_FIELDS; k++)
            f->field[k] = memory + k * cells;
    }
    if (!f->packed || (rank == 0 && !f->field[0]))
        return fail("frame: no memory for five fields of %d x %d cells", nx, ny);
    return 0;
}

void frame_destroy(frame *f) {
    free(f->field[0]);
    free(f->packed);
    memset(f, 0, sizeof *f);
}

/* Move a rank's dense block into the frame (`out` = 0) or out of it (1). */
static void move_block(const grid *g, int rank, frame *f, double *packed, int out) {
    int x0, y0, nx, ny;
    grid_block(g, rank, &x0, &y0, &nx, &ny);
    for (int k = 0; k < FRAME_FIELDS; k++)
        for (int j = 0; j < ny; j++, packed += nx) {
            double *whole = f->field[k] + (size_t)(y0 + j) * f->nx + x0;
            memcpy(out ? packed : whole, out ? whole : packed, nx * sizeof *whole);
        }
}

static int message_size(const grid *g, int rank) {
    int x0, y0, nx, ny;
    grid_block(g, rank, &x0, &y0, &nx, &ny);
    return FRAME_FIELDS * nx * ny;
}

static int check_shape(const solver *s, const frame *f, const char *where) {
    if (f->nx == s->grid.global_nx && f->ny == s->grid.global_ny)
        return 0;
    return fail("%s: the frame has %d x %d cells, the solver %d x %d; make the frame with the solver's shape", where,
                f->nx, f->ny, s->grid.global_nx, s->grid.global_ny);
}

int frame_gather(solver *s, frame *f) {
    const grid *g = &s->grid;
    if (check_shape(s, f, "frame_gather"))
        return -1;
    int finite = isfinite(primitives_pack(s, f->packed)) != 0, all = 0;
    MPI_Allreduce(&finite, &all, 1, MPI_INT, MPI_MIN, g->comm);
    if (!all)
        return fail("frame_gather: the state at time %g, step %ld is not finite; use a smaller --cfl or a milder state",
                    s->time, s->steps);
    f->time = s->time;
    if (g->rank != 0) {
        MPI_Send(f->packed, message_size(g, g->rank), MPI_DOUBLE, 0, TAG_GATHER, g->comm);
        return 0;
    }
    for (int r = 0; r < g->ranks; r++) {
        if (r > 0)
            MPI_Recv(f->packed, message_size(g, r), MPI_DOUBLE, r, TAG_GATHER, g->comm, MPI_STATUS_IGNORE);
        move_block(g, r, f, f->packed, 0);
    }
    return 0;
}

int frame_scatter(solver *s, frame *f) {
    const grid *g = &s->grid;
    if (check_shape(s, f, "frame_scatter"))
        return -1;
    MPI_Bcast(&f->time, 1, MPI_DOUBLE, 0, g->comm);
    if (g->rank == 0) {
        for (int r = g->ranks - 1; r >= 0; r--) { /* its own block last: it stays in the scratch */
            move_block(g, r, f, f->packed, 1);
            if (r > 0)
                MPI_Send(f->packed, message_size(g, r), MPI_DOUBLE, r, TAG_SCATTER, g->comm);
        }
    } else {
        MPI_Recv(f->packed, message_size(g, g->rank), MPI_DOUBLE, 0, TAG_SCATTER, g->comm, MPI_STATUS_IGNORE);
    }
    primitives_unpack(s, f->packed);
    s->time = f->time;
    return 0;
}
