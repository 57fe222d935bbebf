#include "run.h"

#include <math.h>
#include <stdlib.h>

#include "error.h"
#include "frame_file.h"
#include "jump.h"
#include "report.h"
#include "start.h"

/* The end of output interval k: frames lie at exactly first + k interval. */
static double frame_time(const options *o, double start, int k) {
    if (!o->frames)
        return isnan(o->t_end) ? fmax(start, 0.5) : o->t_end;
    double first = isnan(o->first_frame) ? start : o->first_frame;
    return k == 0 ? first : first + k * o->interval;
}

/* Rank 0's verdict on its I/O, to all. */
static int agree(int bad, MPI_Comm comm) {
    MPI_Bcast(&bad, 1, MPI_INT, 0, comm);
    return bad ? -1 : 0;
}

static int write_frame(solver *s, frame *f, frame_writer *writer) {
    if (frame_gather(s, f))
        return -1;
    return agree(s->grid.rank == 0 && frame_writer_append(writer, f) != 0, s->grid.comm);
}

/* The cost of an interval is that of its whole call on this rank. */
static void begin(solver *s, interval_cost *cost) {
    MPI_Barrier(s->grid.comm);
    *cost = (interval_cost){.steps = -s->steps, .seconds = -MPI_Wtime()};
}

static void end(solver *s, interval_cost *cost) {
    cost->seconds += MPI_Wtime();
    cost->steps += s->steps;
}

/* With `start`, every interval is the first one again. */
static int time_loop(const options *o, solver *s, jumper *jumps, frame *f, frame *start, frame_writer *writer,
                     interval_cost *cost, int intervals) {
    const double began = s->time;
    if (frame_time(o, began, 0) < began)
        return fail("the run starts at time %g, after its first target %g; give a later --t-end or --first-frame",
                    began, frame_time(o, began, 0));
    if (start && frame_gather(s, start))
        return -1;
    for (int k = 0; k < intervals; k++) {
        if (start && frame_scatter(s, start))
            return -1;
        const double time = frame_time(o, began, start ? 0 : k);
        begin(s, &cost[k]);
        if ((o->surrogate && (k || !o->frames) ? jumper_jump(jumps, s, time) : solver_advance(s, time)) < 0)
            return -1;
        end(s, &cost[k]);
        if (o->output && (!start || k == intervals - 1) && write_frame(s, f, writer))
            return -1;
    }
    return 0;
}

/* The length of the intervals that are jumped over. */
static double jump_length(const options *o, double start) {
    return o->frames > 1 ? o->interval : frame_time(o, start, 0) - start;
}

int run(const options *o) {
    solver s;
    run_constants constants;
    if (start_solver(o, &s, &constants))
        return -1;
    const int root = s.grid.rank == 0, intervals = o->repeat ? o->repeat : o->frames ? o->frames : 1;
    const int stored = o->repeat ? 1 : intervals;
    frame f = {0}, start = {0};
    frame_writer writer = {.file = -1};
    jumper jumps = {0};
    interval_cost *cost = calloc((size_t)intervals, sizeof *cost);
    int bad = !cost || frame_create(&f, s.grid.global_nx, s.grid.global_ny, s.grid.rank) != 0 ||
              frame_create(&start, s.grid.global_nx, s.grid.global_ny, s.grid.rank) != 0,
        anywhere;
    if (!bad && root && o->output)
        bad = frame_writer_open(&writer, o->output, stored, f.nx, f.ny, o->in_double, &constants) != 0;
    MPI_Allreduce(&bad, &anywhere, 1, MPI_INT, MPI_LOR, s.grid.comm);
    bad = anywhere || jumper_open(&jumps, o, &s, jump_length(o, s.time));
    totals initial = solver_totals(&s);
    bad = bad || time_loop(o, &s, &jumps, &f, o->repeat ? &start : NULL, &writer, cost, intervals) != 0;
    if (root && o->output)
        bad |= frame_writer_close(&writer) != 0;
    bad = agree(bad, s.grid.comm);
    bad = bad || report(&s, &jumps, initial, cost, intervals, o->json) != 0;
    jumper_close(&jumps);
    free(cost);
    frame_destroy(&f);
    frame_destroy(&start);
    solver_destroy(&s);
    return bad ? -1 : 0;
}
