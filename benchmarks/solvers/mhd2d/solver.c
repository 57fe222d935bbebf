#include "solver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

int solver_create(solver *s, MPI_Comm comm, int nx, int ny, double lx, double ly, double gamma, mean_field b0,
                  double cfl) {
    memset(s, 0, sizeof *s);
    if (grid_create(&s->grid, comm, nx, ny, lx, ly))
        return -1;
    s->gas = (gas){.gamma = gamma, .b0 = b0, .rho_floor = 1e-6, .p_floor = 1e-8};
    s->cfl = cfl;
    s->state = grid_new_state(&s->grid);
    s->half = grid_new_state(&s->grid);
    int bad = workspace_create(&s->work, &s->grid) != 0 || !s->state || !s->half, anywhere = 0;
    MPI_Allreduce(&bad, &anywhere, 1, MPI_INT, MPI_MAX, s->grid.comm);
    return anywhere ? fail("solver: no memory for two states of %d x %d cells", nx, ny) : 0;
}

void solver_destroy(solver *s) {
    workspace_destroy(&s->work);
    free(s->state);
    free(s->half);
    grid_destroy(&s->grid);
}

static inline double fast_speed(double gp_rho, double b2_rho, double bn2_rho) {
    double sum = gp_rho + b2_rho, root = sum * sum - 4.0 * gp_rho * bn2_rho;
    return sqrt(0.5 * (sum + sqrt(root > 0.0 ? root : 0.0)));
}

/* The largest signal of row j; *broken counts its cells that are not finite. */
static double signal_row(solver *s, int j, int *broken) {
    const grid *g = &s->grid;
    const double *restrict rho = grid_row(g, s->state, RHO, j), *restrict mx = grid_row(g, s->state, MX, j),
                           *restrict my = grid_row(g, s->state, MY, j), *restrict en = grid_row(g, s->state, EN, j);
    const double *restrict low = grid_row(g, s->state, AZ, j), *restrict high = grid_row(g, s->state, AZ, j + 1);
    const double over_dx = 1.0 / g->dx, over_dy = 1.0 / g->dy, gamma = s->gas.gamma;
    const double b0x = s->gas.b0.x, b0y = s->gas.b0.y, p_floor = s->gas.p_floor;
    double most = 0.0;
    int bad = 0;
#pragma omp simd reduction(max : most) reduction(+ : bad)
    for (int i = 0; i < g->nx; i++) {
        double over = 1.0 / rho[i], vx = mx[i] * over, vy = my[i] * over;
        double bx = cell_bx(b0x, over_dy, low, high, i), by = cell_by(b0y, over_dx, low, high, i);
        double p = (gamma - 1.0) * (en[i] - 0.5 * (mx[i] * vx + my[i] * vy) - 0.5 * (bx * bx + by * by));
        p = p < p_floor ? p_floor : p;
        double a2 = gamma * p * over, b2 = (bx * bx + by * by) * over;
        double x = (fabs(vx) + fast_speed(a2, b2, bx * bx * over)) * over_dx;
        double y = (fabs(vy) + fast_speed(a2, b2, by * by * over)) * over_dy;
        double signal = x > y ? x : y;
        most = signal > most ? signal : most;
        bad += !(x + y < 1e300);
    }
    *broken += bad;
    return most;
}

double solver_signal(solver *s) {
    double most = 0.0, everywhere = 0.0;
    int broken = 0;
    for (int j = 0; j < s->grid.ny; j++) {
        double row = signal_row(s, j, &broken);
        most = row > most ? row : most;
    }
    if (broken)
        most = INFINITY;
    if (s->grid.ranks == 1)
        return most;
    MPI_Allreduce(&most, &everywhere, 1, MPI_DOUBLE, MPI_MAX, s->grid.comm);
    return everywhere;
}

/* Heun's method: u1 = u + dt L(u); u = (u + u1 + dt L(u1)) / 2. */
static void heun_step(solver *s, double dt) {
    stage_advance(&s->grid, &s->gas, &s->work, s->state, s->state, s->half, dt, 1.0);
    grid_exchange(&s->grid, s->half);
    stage_advance(&s->grid, &s->gas, &s->work, s->half, s->state, s->state, dt, 0.5);
    grid_exchange(&s->grid, s->state);
}

long solver_advance(solver *s, double time) {
    double started = MPI_Wtime();
    long steps = 0;
    while (s->time < time) {
        double left = time - s->time, dt = s->cfl / solver_signal(s);
        if (!(dt > 1e-12 * left))
            return fail("solver: at time %g, step %ld, the state is not finite or its signal speed is too large "
                        "(dt = %g); use a smaller --cfl or a milder state",
                        s->time, s->steps, dt);
        if (left <= dt)
            dt = left;
        else if (left < 2.0 * dt)
            dt = 0.5 * left; /* two equal steps rather than one and a sliver */
        heun_step(s, dt);
        s->time = dt == left ? time : s->time + dt;
        s->steps++;
        steps++;
    }
    s->seconds += MPI_Wtime() - started;
    return steps;
}

totals solver_totals(solver *s) {
    const grid *g = &s->grid;
    double sum[4] = {0.0}, all[4];
    for (int v = RHO; v <= EN; v++)
        for (int j = 0; j < g->ny; j++) {
            const double *row = grid_row(g, s->state, v, j);
            double part = 0.0;
            for (int i = 0; i < g->nx; i++)
                part += row[i];
            sum[v] += part * g->dx * g->dy;
        }
    MPI_Allreduce(sum, all, 4, MPI_DOUBLE, MPI_SUM, g->comm);
    return (totals){all[RHO], all[MX], all[MY], all[EN]};
}

double solver_max_div_b(solver *s) {
    const grid *g = &s->grid;
    const double over_dx = 1.0 / g->dx, over_dy = 1.0 / g->dy;
    double most[2] = {0.0, 0.0}, all[2];
    for (int j = 0; j < g->ny; j++) {
        const double *low = grid_row(g, s->state, AZ, j), *high = grid_row(g, s->state, AZ, j + 1);
        for (int i = 0; i < g->nx; i++) {
            double west = face_bx(s->gas.b0.x, over_dy, low, high, i),
                   east = face_bx(s->gas.b0.x, over_dy, low, high, i + 1);
            double south = face_by(s->gas.b0.y, over_dx, low, i), north = face_by(s->gas.b0.y, over_dx, high, i);
            most[0] = fmax(most[0], fabs((east - west) * over_dx + (north - south) * over_dy) * g->dx);
            most[1] = fmax(most[1], hypot(west, south));
        }
    }
    MPI_Allreduce(most, all, 2, MPI_DOUBLE, MPI_MAX, g->comm);
    return all[1] > 0.0 ? all[0] / all[1] : 0.0;
}

long solver_floor_count(solver *s) {
    long all = 0;
    MPI_Allreduce(&s->gas.floor_count, &all, 1, MPI_LONG, MPI_SUM, s->grid.comm);
    return all;
}
