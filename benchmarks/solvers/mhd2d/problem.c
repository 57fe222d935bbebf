#include "problem.h"

#include <math.h>
#include <string.h>

#include "error.h"

static const double PI = 3.14159265358979323846;

static void orszag_tang_cell(const problem *p, double x, double y, double w[4]) {
    w[0] = p->gamma * p->gamma;
    w[1] = -sin(2.0 * PI * y / p->ly);
    w[2] = sin(2.0 * PI * x / p->lx);
    w[3] = p->gamma;
}

/* B = (-sin(2 pi y / ly), sin(4 pi x / lx)). */
static double orszag_tang_potential(const problem *p, double x, double y) {
    return p->lx * cos(4.0 * PI * x / p->lx) / (4.0 * PI) + p->ly * cos(2.0 * PI * y / p->ly) / (2.0 * PI);
}

/* A linear fast wave along n = k / |k|, k = 2 pi (1/lx, 2/ly): rho = 1, sound speed 1, Bn = 1, Bt = 3/2, so that the
 * fast speed is 2. Tangent t = (-ny, nx). */
static double wave_phase(const problem *p, double x, double y, double n[2], double *k) {
    double kx = 2.0 * PI / p->lx, ky = 4.0 * PI / p->ly;
    *k = sqrt(kx * kx + ky * ky);
    n[0] = kx / *k;
    n[1] = ky / *k;
    return kx * x + ky * y;
}

static void wave_cell(const problem *p, double x, double y, double w[4]) {
    double n[2], k, s = p->amplitude * cos(wave_phase(p, x, y, n, &k));
    double vn = 2.0 * s, vt = -s; /* vt = -Bn dBt / (rho cf), dBt = Bt cf vn / (cf^2 - Bn^2) = 2 s */
    w[0] = 1.0 + s;
    w[1] = n[0] * vn - n[1] * vt;
    w[2] = n[1] * vn + n[0] * vt;
    w[3] = 1.0 / p->gamma + s;
}

static double wave_potential(const problem *p, double x, double y) {
    double n[2], k, phase = wave_phase(p, x, y, n, &k);
    return -2.0 * p->amplitude * sin(phase) / k;
}

/* Brio & Wu, J. Comput. Phys. 75, 400 (1988): the left state inside the middle half, the right one outside, so that a
 * tube starts at 3/4 lx to the right and its mirror image at 1/4 lx to the left. By = 1 inside, -1 outside. */
static void brio_wu_cell(const problem *p, double x, double y, double w[4]) {
    int inside = fabs(x - 0.5 * p->lx) < 0.25 * p->lx;
    (void)y;
    w[0] = inside ? 1.0 : 0.125;
    w[1] = w[2] = 0.0;
    w[3] = inside ? 1.0 : 0.1;
}

static double brio_wu_potential(const problem *p, double x, double y) {
    (void)y;
    double quarter = 0.25 * p->lx, from_middle = x - 0.5 * p->lx;
    if (fabs(from_middle) <= quarter)
        return -from_middle; /* By = -d az / dx */
    return from_middle > 0.0 ? from_middle - 2.0 * quarter : from_middle + 2.0 * quarter;
}

static void random_cell(const problem *p, double x, double y, double w[4]) {
    double curl[2], push[2];
    modes_gradient(&p->stream, x, y, curl);
    modes_gradient(&p->compressive, x, y, push);
    w[0] = p->gamma * p->gamma * exp(modes_value(&p->log_rho, x, y));
    w[1] = curl[1] + push[0];
    w[2] = -curl[0] + push[1];
    w[3] = p->gamma * exp(modes_value(&p->log_p, x, y));
}

static double random_potential(const problem *p, double x, double y) {
    return modes_value(&p->az, x, y);
}

static double or_else(double given, double otherwise) {
    return isnan(given) ? otherwise : given;
}

int problem_create(problem *p, const problem_choice *c) {
    memset(p, 0, sizeof *p);
    *p = (problem){.name = c->name,
                   .gamma = or_else(c->gamma, 5.0 / 3.0),
                   .lx = or_else(c->lx, 1.0),
                   .ly = or_else(c->ly, 1.0),
                   .b0 = {or_else(c->b0x, 0.0), or_else(c->b0y, 0.0)},
                   .amplitude = 1e-6};
    if (strcmp(c->name, "random") == 0) {
        p->cell = random_cell;
        p->potential = random_potential;
        random_family(p, c->seed, c->mach, c->beta);
    } else if (strcmp(c->name, "orszag-tang") == 0) {
        p->cell = orszag_tang_cell;
        p->potential = orszag_tang_potential;
    } else if (strcmp(c->name, "wave") == 0) {
        double n[2], k;
        wave_phase(p, 0.0, 0.0, n, &k);
        p->cell = wave_cell;
        p->potential = wave_potential;
        p->b0 = (mean_field){or_else(c->b0x, n[0] - 1.5 * n[1]), or_else(c->b0y, n[1] + 1.5 * n[0])};
    } else if (strcmp(c->name, "brio-wu") == 0) {
        p->cell = brio_wu_cell;
        p->potential = brio_wu_potential;
        p->gamma = or_else(c->gamma, 2.0);
        p->b0.x = or_else(c->b0x, 0.75);
    } else {
        return fail("--problem: got '%s', expected random, orszag-tang, wave or brio-wu", c->name);
    }
    return 0;
}

void problem_apply(const problem *p, solver *s) {
    const grid *g = &s->grid;
    const double over_dx = 1.0 / g->dx, over_dy = 1.0 / g->dy;
    for (int j = 0; j < g->ny; j++)
        for (int i = 0; i < g->nx; i++)
            grid_row(g, s->state, AZ, j)[i] = p->potential(p, (g->x0 + i) * g->dx, (g->y0 + j) * g->dy);
    grid_exchange(&s->grid, s->state);
    for (int j = 0; j < g->ny; j++) {
        const double *low = grid_row(g, s->state, AZ, j), *high = grid_row(g, s->state, AZ, j + 1);
        for (int i = 0; i < g->nx; i++) {
            double w[4], bx = cell_bx(p->b0.x, over_dy, low, high, i), by = cell_by(p->b0.y, over_dx, low, high, i);
            p->cell(p, (g->x0 + i + 0.5) * g->dx, (g->y0 + j + 0.5) * g->dy, w);
            grid_row(g, s->state, RHO, j)[i] = w[0];
            grid_row(g, s->state, MX, j)[i] = w[0] * w[1];
            grid_row(g, s->state, MY, j)[i] = w[0] * w[2];
            grid_row(g, s->state, EN, j)[i] =
                w[3] / (p->gamma - 1.0) + 0.5 * w[0] * (w[1] * w[1] + w[2] * w[2]) + 0.5 * (bx * bx + by * by);
        }
    }
    grid_exchange(&s->grid, s->state);
}
