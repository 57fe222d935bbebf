#include "start.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "error.h"

enum { DEFAULT_CELLS = 128 };

static int from_problem(const options *o, solver *s, run_constants *c) {
    problem p;
    if (problem_create(&p, &o->problem))
        return -1;
    int nx = o->nx ? o->nx : DEFAULT_CELLS, ny = o->ny ? o->ny : nx;
    if (solver_create(s, MPI_COMM_WORLD, nx, ny, p.lx, p.ly, p.gamma, p.b0, o->cfl))
        return -1;
    problem_apply(&p, s);
    *c = (run_constants){.gamma = p.gamma, .lx = p.lx, .ly = p.ly, .cfl = o->cfl, .b0 = p.b0, .seed = o->problem.seed};
    snprintf(c->problem, sizeof c->problem, "%s", p.name);
    return 0;
}

/* Rank 0 reads the frame and, if it is finer than the run, restricts it into `f`. */
static int read_frame(const options *o, const run_constants *c, int index, int fine_nx, int fine_ny, frame *f) {
    frame fine = {0};
    if (fine_nx == f->nx && fine_ny == f->ny)
        return frame_file_read(o->restart, index, f);
    int bad = frame_create(&fine, fine_nx, fine_ny, 0) || frame_file_read(o->restart, index, &fine) ||
              frame_restrict(&fine, f, c->gamma, c->b0, c->lx, c->ly);
    frame_destroy(&fine);
    return bad ? -1 : 0;
}

static int from_frame(const options *o, solver *s, run_constants *c) {
    struct {
        run_constants constants;
        int bad, index, nx, ny;
    } found;
    memset(&found, 0, sizeof found);
    int rank, frames = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        found.bad = frame_file_inspect(o->restart, &frames, &found.nx, &found.ny, &found.constants);
        found.index = o->restart_frame < 0 ? frames + o->restart_frame : o->restart_frame;
        if (!found.bad && (found.index < 0 || found.index >= frames))
            found.bad = fail("--restart-frame: got %d, but %s has %d frames", o->restart_frame, o->restart, frames);
    }
    MPI_Bcast(&found, sizeof found, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (found.bad)
        return -1;
    *c = found.constants;
    c->cfl = o->cfl;
    int nx = o->nx ? o->nx : found.nx;
    int ny = o->ny ? o->ny : o->nx ? (int)((long)found.ny * o->nx / found.nx) : found.ny;
    if (solver_create(s, MPI_COMM_WORLD, nx, ny, c->lx, c->ly, c->gamma, c->b0, c->cfl))
        return -1;
    frame f;
    int bad = frame_create(&f, nx, ny, s->grid.rank), anywhere;
    if (!bad && rank == 0)
        bad = read_frame(o, c, found.index, found.nx, found.ny, &f);
    MPI_Allreduce(&bad, &anywhere, 1, MPI_INT, MPI_MIN, s->grid.comm);
    bad = anywhere || frame_scatter(s, &f);
    frame_destroy(&f);
    return bad ? -1 : 0;
}

int start_solver(const options *o, solver *s, run_constants *c) {
    return o->restart ? from_frame(o, s, c) : from_problem(o, s, c);
}
