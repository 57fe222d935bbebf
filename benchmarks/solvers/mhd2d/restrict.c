#include "error.h"
#include "frame.h"

/* Total and magnetic energy density of cell (i, j) of a frame. */
static double cell_energy(const frame *f, int i, int j, double gamma, mean_field b0, double lx, double ly,
                          double *magnetic) {
    int n = f->nx, east = (i + 1) % n, north = (j + 1) % f->ny;
    const double *low = f->field[FRAME_AZ] + (size_t)j * n, *high = f->field[FRAME_AZ] + (size_t)north * n;
    double corner[2][2] = {{low[i], low[east]}, {high[i], high[east]}};
    double bx = cell_bx(b0.x, f->ny / ly, corner[0], corner[1], 0);
    double by = cell_by(b0.y, n / lx, corner[0], corner[1], 0);
    size_t at = (size_t)j * n + i;
    double vx = f->field[FRAME_VX][at], vy = f->field[FRAME_VY][at];
    *magnetic = 0.5 * (bx * bx + by * by);
    return f->field[FRAME_P][at] / (gamma - 1.0) + 0.5 * f->field[FRAME_RHO][at] * (vx * vx + vy * vy) + *magnetic;
}

int frame_restrict(const frame *fine, frame *coarse, double gamma, mean_field b0, double lx, double ly) {
    const int step_x = fine->nx / coarse->nx, step_y = fine->ny / coarse->ny;
    if (step_x * coarse->nx != fine->nx || step_y * coarse->ny != fine->ny)
        return fail("restart: the frame has %d x %d cells, which is no multiple of --nx %d --ny %d; "
                    "choose an integer fraction of the frame's size",
                    fine->nx, fine->ny, coarse->nx, coarse->ny);
    const double share = 1.0 / ((double)step_x * step_y);
    coarse->time = fine->time;
    for (int j = 0; j < coarse->ny; j++) /* cell_energy reads the coarse corners above */
        for (int i = 0; i < coarse->nx; i++)
            coarse->field[FRAME_AZ][(size_t)j * coarse->nx + i] =
                fine->field[FRAME_AZ][(size_t)j * step_y * fine->nx + (size_t)i * step_x];
    for (int j = 0; j < coarse->ny; j++)
        for (int i = 0; i < coarse->nx; i++) {
            double rho = 0.0, mx = 0.0, my = 0.0, en = 0.0, magnetic;
            for (int b = j * step_y; b < (j + 1) * step_y; b++)
                for (int a = i * step_x; a < (i + 1) * step_x; a++) {
                    size_t at = (size_t)b * fine->nx + a;
                    rho += share * fine->field[FRAME_RHO][at];
                    mx += share * fine->field[FRAME_RHO][at] * fine->field[FRAME_VX][at];
                    my += share * fine->field[FRAME_RHO][at] * fine->field[FRAME_VY][at];
                    en += share * cell_energy(fine, a, b, gamma, b0, lx, ly, &magnetic);
                }
            size_t to = (size_t)j * coarse->nx + i;
            coarse->field[FRAME_RHO][to] = rho;
            coarse->field[FRAME_VX][to] = mx / rho;
            coarse->field[FRAME_VY][to] = my / rho;
            coarse->field[FRAME_P][to] = 0.0;
            double rest = cell_energy(coarse, i, j, gamma, b0, lx, ly, &magnetic); /* kinetic and magnetic */
            coarse->field[FRAME_P][to] = (gamma - 1.0) * (en - rest);
        }
    return 0;
}
