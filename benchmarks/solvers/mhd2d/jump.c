#include "jump.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "primitives.h"

/* A surrogate jumps by one time step and no other; every interval must be one. */
static int check_time_step(const surrogate_info *info, double interval) {
    if (fabs(interval - info->time_step) <= 1e-9 * info->time_step)
        return 0;
    return fail("--surrogate: %s jumps by %.10g, the run's interval is %.10g; set --t-end or --interval to that",
                info->name, info->time_step, interval);
}

/* The model was trained at one cell size, and sees B only through A_z: a mean field is hidden from it. */
static int check_physics(const surrogate_info *info, const solver *s) {
    const double given[2] = {s->grid.dy, s->grid.dx};
    for (int k = 0; k < 2; k++)
        if (info->spacing[k] > 0 && fabs(given[k] - info->spacing[k]) > 1e-6 * info->spacing[k])
            return fail("--surrogate: %s was trained on cells of %.10g x %.10g, the run's are %.10g x %.10g; "
                        "set --nx, --ny, --lx and --ly to that",
                        info->name, info->spacing[1], info->spacing[0], given[1], given[0]);
    if (s->gas.b0.x != 0 || s->gas.b0.y != 0)
        return fail("--surrogate: %s knows no mean field, the run's is %g, %g; leave --b0x and --b0y at 0", info->name,
                    s->gas.b0.x, s->gas.b0.y);
    return 0;
}

static int open_model(jumper *j, const options *o, const solver *s) {
    surrogate_open_options open;
    surrogate_mpi_options mpi;
    surrogate_open_options_init(&open, sizeof open);
    surrogate_mpi_options_init(&mpi, sizeof mpi);
    open.threads = o->surrogate_threads;
    mpi.mode = o->surrogate_mode;
    mpi.tile_shape[0] = o->tile[0];
    mpi.tile_shape[1] = o->tile[1];
    return surrogate_mpi_open(&j->model, s->grid.comm, o->surrogate, &open, &mpi);
}

/* What is checked is the same on all ranks, and so is the outcome. */
int jumper_open(jumper *j, const options *o, const solver *s, double interval) {
    *j = (jumper){0};
    if (!o->surrogate)
        return 0;
    j->block = grid_doubles(FRAME_FIELDS * (size_t)s->grid.nx * s->grid.ny);
    int bad = !j->block, anywhere;
    MPI_Allreduce(&bad, &anywhere, 1, MPI_INT, MPI_LOR, s->grid.comm);
    if (anywhere)
        return fail("--surrogate: no memory for five fields of %d x %d cells", s->grid.nx, s->grid.ny);
    if (open_model(j, o, s))
        return fail("%s", surrogate_last_error());
    surrogate_step_options_init(&j->step, sizeof j->step);
    j->step.origin[0] = s->grid.y0;
    j->step.origin[1] = s->grid.x0;
    j->step.global_shape[0] = s->grid.global_ny;
    j->step.global_shape[1] = s->grid.global_nx;
    surrogate_info info = {.struct_size = sizeof info};
    if (surrogate_get_info(surrogate_mpi_local(j->model), &info))
        return fail("%s", surrogate_last_error());
    return check_time_step(&info, interval) || check_physics(&info, s) ? -1 : 0;
}

void jumper_close(jumper *j) {
    surrogate_mpi_close(j->model);
    free(j->block);
    memset(j, 0, sizeof *j);
}

static void count(jumper *j, int status) {
    surrogate_mpi_report r = {.struct_size = sizeof r};
    if (surrogate_mpi_get_report(j->model, &r))
        return;
    jump_cost *c = &j->cost;
    c->jumps++;
    c->refused += status == SURROGATE_REJECTED;
    c->pack_seconds += r.pack_seconds;
    c->exchange_seconds += r.exchange_seconds;
    c->program_seconds += r.program_seconds;
    c->agree_seconds += r.agree_seconds;
    c->output_seconds += r.output_seconds;
    c->bytes_received += (double)r.bytes_received;
    c->minimum_bytes += (double)r.minimum_bytes;
}

long jumper_jump(jumper *j, solver *s, double time) {
    const int64_t shape[] = {FRAME_FIELDS, s->grid.ny, s->grid.nx};
    primitives_pack(s, j->block);
    j->step.time = s->time;
    int rc = surrogate_mpi_predict_array(j->model, j->block, j->block, SURROGATE_FLOAT64, 3, shape, &j->step);
    if (rc == SURROGATE_ERROR_TIMEOUT) { /* no collective call can end any more, MPI_Finalize included */
        fprintf(stderr, "mhd2d: %s\n", surrogate_last_error());
        MPI_Abort(s->grid.comm, 2);
    }
    if (rc < 0)
        return fail("%s", surrogate_last_error());
    count(j, rc);
    if (rc == SURROGATE_REJECTED)
        return solver_advance(s, time);
    primitives_unpack(s, j->block);
    s->time = time;
    return 0;
}

static void print_json(const surrogate_mpi_report *r, const jump_cost *sum, const double *a) {
    printf(", \"surrogate\": {\"mode\": \"%s\", \"threads\": %d, \"jumps\": %ld, \"refused\": %ld, "
           "\"pack_seconds\": %.6g, \"exchange_seconds\": %.6g, \"program_seconds\": %.6g, \"agree_seconds\": %.6g, "
           "\"output_seconds\": %.6g, \"bytes_received\": %.0f, \"minimum_bytes\": %.0f}",
           surrogate_mpi_mode_name(r->mode), r->threads, sum->jumps, sum->refused, a[0], a[1], a[2], a[3], a[4], a[5],
           a[6]);
}

static void print_text(const surrogate_mpi_report *r, const jump_cost *sum, const double *a) {
    printf("  %ld jumps by the surrogate, %ld refused; mode %s: %s\n", sum->jumps, sum->refused,
           surrogate_mpi_mode_name(r->mode), r->choice);
    printf("  a jump, the slowest rank: pack %.2f, exchange %.2f, program %.2f, agree %.2f, output %.2f ms; "
           "%.0f bytes received\n",
           1e3 * a[0], 1e3 * a[1], 1e3 * a[2], 1e3 * a[3], 1e3 * a[4], a[5]);
}

void jumper_report(const jumper *j, const solver *s, int json) {
    const jump_cost *c = &j->cost;
    if (!c->jumps)
        return;
    const double own[7] = {c->pack_seconds,   c->exchange_seconds, c->program_seconds, c->agree_seconds,
                           c->output_seconds, c->bytes_received,   c->minimum_bytes};
    double a_jump[7];
    MPI_Reduce(own, a_jump, 7, MPI_DOUBLE, MPI_MAX, 0, s->grid.comm);
    surrogate_mpi_report r = {.struct_size = sizeof r};
    if (s->grid.rank != 0 || surrogate_mpi_get_report(j->model, &r))
        return;
    for (int k = 0; k < 7; k++)
        a_jump[k] /= (double)c->jumps;
    (json ? print_json : print_text)(&r, c, a_jump);
}
