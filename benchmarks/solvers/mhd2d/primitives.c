#include "primitives.h"

double primitives_pack(const solver *s, double *packed) {
    const grid *g = &s->grid;
    const size_t cells = (size_t)g->nx * g->ny;
    double check = 0.0;
    for (int j = 0; j < g->ny; j++) {
        const double *rho = grid_row(g, s->state, RHO, j), *mx = grid_row(g, s->state, MX, j);
        const double *my = grid_row(g, s->state, MY, j), *en = grid_row(g, s->state, EN, j);
        const double *low = grid_row(g, s->state, AZ, j), *high = grid_row(g, s->state, AZ, j + 1);
        for (int i = 0; i < g->nx; i++) {
            double *to = packed + (size_t)j * g->nx + i;
            double bx = cell_bx(s->gas.b0.x, 1.0 / g->dy, low, high, i);
            double by = cell_by(s->gas.b0.y, 1.0 / g->dx, low, high, i);
            double vx = mx[i] / rho[i], vy = my[i] / rho[i];
            to[0] = rho[i];
            to[cells] = vx;
            to[2 * cells] = vy;
            to[3 * cells] =
                (s->gas.gamma - 1.0) * (en[i] - 0.5 * rho[i] * (vx * vx + vy * vy) - 0.5 * (bx * bx + by * by));
            to[4 * cells] = low[i];
            check += 0.0 * (to[0] + vx + vy + to[3 * cells] + low[i]);
        }
    }
    return check;
}

void primitives_unpack(solver *s, const double *packed) {
    grid *g = &s->grid;
    const size_t cells = (size_t)g->nx * g->ny;
    for (int j = 0; j < g->ny; j++)
        for (int i = 0; i < g->nx; i++) {
            const double *from = packed + (size_t)j * g->nx + i;
            grid_row(g, s->state, RHO, j)[i] = from[0];
            grid_row(g, s->state, MX, j)[i] = from[0] * from[cells];
            grid_row(g, s->state, MY, j)[i] = from[0] * from[2 * cells];
            grid_row(g, s->state, AZ, j)[i] = from[4 * cells];
        }
    grid_exchange(g, s->state); /* the energy needs the corners beyond the block's edge */
    for (int j = 0; j < g->ny; j++) {
        const double *low = grid_row(g, s->state, AZ, j), *high = grid_row(g, s->state, AZ, j + 1);
        for (int i = 0; i < g->nx; i++) {
            const double *from = packed + (size_t)j * g->nx + i;
            double bx = cell_bx(s->gas.b0.x, 1.0 / g->dy, low, high, i);
            double by = cell_by(s->gas.b0.y, 1.0 / g->dx, low, high, i);
            double vx = from[cells], vy = from[2 * cells];
            grid_row(g, s->state, EN, j)[i] = from[3 * cells] / (s->gas.gamma - 1.0) +
                                              0.5 * from[0] * (vx * vx + vy * vy) + 0.5 * (bx * bx + by * by);
        }
    }
    grid_exchange(g, s->state);
}
