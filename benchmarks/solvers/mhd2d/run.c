#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <surrogate/surrogate.h>

#include "error.h"
#include "frame_file.h"
#include "patience.h"
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

static surrogate_model *model; /* on rank 0; NULL elsewhere and without --surrogate */

/* From now to `time` by the surrogate, or by stepping where it refuses. Negative when both failed. */
static long jump(solver *s, frame *f, double time) {
    if (frame_gather(s, f))
        return -1;
    int rc = model ? surrogate_predict_array(model, f->field[0], f->field[0], SURROGATE_FLOAT64, 3, f->shape, NULL) : 0;
    patient_bcast(&rc, sizeof rc, s->grid.comm);
    f->time = time;
    return rc < 0 ? fail("%s", surrogate_last_error()) : rc ? solver_advance(s, time) : frame_scatter(s, f);
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
static int time_loop(const options *o, solver *s, frame *f, frame *start, frame_writer *writer, interval_cost *cost,
                     int intervals) {
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
        if ((o->surrogate && (k || !o->frames) ? jump(s, f, time) : solver_advance(s, time)) < 0)
            return -1;
        end(s, &cost[k]);
        if (o->output && (!start || k == intervals - 1) && write_frame(s, f, writer))
            return -1;
    }
    return 0;
}

/* A surrogate jumps by one time step and no other; every interval must be one. */
static int check_time_step(const options *o, double start) {
    surrogate_info info = {.struct_size = sizeof info};
    if (!model || surrogate_get_info(model, &info))
        return 0;
    const double interval = o->frames > 1 ? o->interval : frame_time(o, start, 0) - start;
    if (fabs(interval - info.time_step) <= 1e-9 * info.time_step)
        return 0;
    return fail("--surrogate: %s jumps by %.10g, the run's interval is %.10g; set --t-end or --interval to that",
                info.name, info.time_step, interval);
}

/* The model was trained at one cell size, and sees B only through A_z: a mean field is hidden from it. */
static int check_physics(const solver *s) {
    surrogate_info info = {.struct_size = sizeof info};
    if (!model || surrogate_get_info(model, &info))
        return 0;
    const double given[2] = {s->grid.dy, s->grid.dx};
    for (int k = 0; k < 2; k++)
        if (info.spacing[k] > 0 && fabs(given[k] - info.spacing[k]) > 1e-6 * info.spacing[k])
            return fail("--surrogate: %s was trained on cells of %.10g x %.10g, the run's are %.10g x %.10g; "
                        "set --nx, --ny, --lx and --ly to that",
                        info.name, info.spacing[1], info.spacing[0], given[1], given[0]);
    if (s->gas.b0.x != 0 || s->gas.b0.y != 0)
        return fail("--surrogate: %s knows no mean field, the run's is %g, %g; leave --b0x and --b0y at 0", info.name,
                    s->gas.b0.x, s->gas.b0.y);
    return 0;
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
    interval_cost *cost = calloc((size_t)intervals, sizeof *cost);
    int bad = !cost || frame_create(&f, s.grid.global_nx, s.grid.global_ny, s.grid.rank) != 0 ||
              frame_create(&start, s.grid.global_nx, s.grid.global_ny, s.grid.rank) != 0,
        anywhere;
    if (!bad && root && o->output)
        bad = frame_writer_open(&writer, o->output, stored, f.nx, f.ny, o->in_double, &constants) != 0;
    if (!bad && root && o->surrogate)
        bad = surrogate_open(&model, o->surrogate, NULL) && fail("%s", surrogate_last_error());
    bad = bad || check_time_step(o, s.time) || check_physics(&s);
    MPI_Allreduce(&bad, &anywhere, 1, MPI_INT, MPI_LOR, s.grid.comm);
    totals initial = solver_totals(&s);
    bad = anywhere || time_loop(o, &s, &f, o->repeat ? &start : NULL, &writer, cost, intervals) != 0;
    if (root && o->output)
        bad |= frame_writer_close(&writer) != 0;
    bad = agree(bad, s.grid.comm);
    bad = bad || report(&s, initial, cost, intervals, o->json) != 0;
    surrogate_close(model);
    free(cost);
    frame_destroy(&f);
    frame_destroy(&start);
    solver_destroy(&s);
    return bad ? -1 : 0;
}
