#include "stage.h"

#include <stdlib.h>

#include "error.h"
#include "riemann.h"

/* Rows of a primitive buffer. FBX, FBY are the fields on the cell's lower faces, EZ = vy Bx - vx By. */
enum { P_RHO, P_VX, P_VY, P_P, P_BX, P_BY, P_EZ, P_FBX, P_FBY, NPRIM };

/* A face's frame, (rho, vn, vt, p, Bt), out of a primitive buffer. */
static const int FRAME_X[NFACE] = {P_RHO, P_VX, P_VY, P_P, P_BY};
static const int FRAME_Y[NFACE] = {P_RHO, P_VY, P_VX, P_P, P_BX};

int workspace_create(workspace *w, const grid *g) {
    size_t row = w->pitch = g->pitch;
    size_t rows = 4 * NPRIM + 3 * NFACE + 4 * NFACE;
    double *next = w->memory = grid_doubles(rows * row);
    if (!next)
        return fail("stage: no memory for %zu row buffers of %zu doubles", rows, row);
    next += LEFT_PAD;
    for (int k = 0; k < 4; k++, next += NPRIM * row)
        w->w[k] = next;
    double **faces[7] = {&w->slope[0], &w->slope[1], &w->slope_x, &w->fx[0], &w->fx[1], &w->fy[0], &w->fy[1]};
    for (int k = 0; k < 7; k++, next += NFACE * row)
        *faces[k] = next;
    return 0;
}

void workspace_destroy(workspace *w) {
    free(w->memory);
}

/* Lift the cells of row j that are below a floor: rho keeps its momentum, p its rho, velocity and field. */
static void lift_row(const grid *g, gas *gas, double *in, int j, double *w, int pitch) {
    double *rho = grid_row(g, in, RHO, j), *mx = grid_row(g, in, MX, j), *my = grid_row(g, in, MY, j);
    double *en = grid_row(g, in, EN, j);
    for (int i = -2; i < g->nx + 2; i++) {
        double *p = w + P_P * pitch + i;
        if (rho[i] >= gas->rho_floor && *p >= gas->p_floor)
            continue;
        if (rho[i] < gas->rho_floor)
            rho[i] = gas->rho_floor;
        double bx = w[P_BX * pitch + i], by = w[P_BY * pitch + i];
        double rest = 0.5 * (mx[i] * mx[i] + my[i] * my[i]) / rho[i] + 0.5 * (bx * bx + by * by);
        *p = (gas->gamma - 1.0) * (en[i] - rest);
        if (*p < gas->p_floor)
            *p = gas->p_floor;
        en[i] = *p / (gas->gamma - 1.0) + rest;
        double vx = mx[i] / rho[i], vy = my[i] / rho[i];
        w[P_RHO * pitch + i] = rho[i];
        w[P_VX * pitch + i] = vx;
        w[P_VY * pitch + i] = vy;
        w[P_EZ * pitch + i] = vy * bx - vx * by;
        gas->floor_count += i >= 0 && i < g->nx && j >= 0 && j < g->ny;
    }
}

/* Primitives, cell fields and face fields of row j, i in [-2, nx + 2). */
static void primitive_row(const grid *g, gas *gas, double *in, int j, double *w, int pitch) {
    const double *restrict rho = grid_row(g, in, RHO, j), *restrict mx = grid_row(g, in, MX, j),
                           *restrict my = grid_row(g, in, MY, j), *restrict en = grid_row(g, in, EN, j);
    const double *restrict low = grid_row(g, in, AZ, j), *restrict high = grid_row(g, in, AZ, j + 1);
    double *restrict w_rho = w + P_RHO * pitch, *restrict w_vx = w + P_VX * pitch, *restrict w_vy = w + P_VY * pitch,
                     *restrict w_p = w + P_P * pitch, *restrict w_bx = w + P_BX * pitch,
                     *restrict w_by = w + P_BY * pitch, *restrict w_ez = w + P_EZ * pitch,
                     *restrict w_fbx = w + P_FBX * pitch, *restrict w_fby = w + P_FBY * pitch;
    const double over_dx = 1.0 / g->dx, over_dy = 1.0 / g->dy, gm1 = gas->gamma - 1.0;
    const double b0x = gas->b0.x, b0y = gas->b0.y, rho_floor = gas->rho_floor, p_floor = gas->p_floor;
    const int end = g->nx + 2;
    int low_cells = 0;
#pragma omp simd reduction(+ : low_cells)
    for (int i = -2; i < end; i++) {
        double over = 1.0 / rho[i], vx = mx[i] * over, vy = my[i] * over;
        double bx = cell_bx(b0x, over_dy, low, high, i), by = cell_by(b0y, over_dx, low, high, i);
        double p = gm1 * (en[i] - 0.5 * (mx[i] * vx + my[i] * vy) - 0.5 * (bx * bx + by * by));
        w_rho[i] = rho[i];
        w_vx[i] = vx;
        w_vy[i] = vy;
        w_p[i] = p;
        w_bx[i] = bx;
        w_by[i] = by;
        w_ez[i] = vy * bx - vx * by;
        w_fbx[i] = face_bx(b0x, over_dy, low, high, i);
        w_fby[i] = face_by(b0y, over_dx, low, i);
        low_cells += (rho[i] < rho_floor) | (p < p_floor);
    }
    if (low_cells)
        lift_row(g, gas, in, j, w, pitch);
}

/* Fluxes through the lower faces [first, first + n) of a row. Buffers are given at cell 0; `shift` is the distance from
 * a face's upper cell back to its lower cell when both are in one row. */
static void flux_row(const double *lower, const double *lower_slope, const double *upper, const double *upper_slope,
                     int shift, const int frame[NFACE], int bn, double *flux, int pitch, int first, int n,
                     double gamma) {
    const double *wl[NFACE], *sl[NFACE], *wr[NFACE], *sr[NFACE];
    double *f[NFACE];
    for (int k = 0; k < NFACE; k++) {
        wl[k] = lower + frame[k] * pitch + first - shift;
        wr[k] = upper + frame[k] * pitch + first;
        sl[k] = lower_slope + k * pitch + first - shift;
        sr[k] = upper_slope + k * pitch + first;
        f[k] = flux + k * pitch + first;
    }
    hlld_row(n, gamma, wl, sl, wr, sr, upper + bn * pitch + first, f);
}

/* y slopes of row j in the y frame, i in [-1, nx + 1). */
static void slopes_y(const workspace *work, int nx, int j) {
    const int pitch = work->pitch;
    const double *below = work->w[(j - 1) & 3], *mid = work->w[j & 3], *above = work->w[(j + 1) & 3];
    for (int k = 0; k < NFACE; k++) {
        int at = FRAME_Y[k] * pitch - 1;
        slope_row(nx + 2, below + at, mid + at, above + at, work->slope[j & 1] + k * pitch - 1);
    }
}

static void fluxes_x(const workspace *work, int nx, int j, double gamma) {
    const int pitch = work->pitch;
    const double *w = work->w[j & 3];
    for (int k = 0; k < NFACE; k++) {
        const double *mid = w + FRAME_X[k] * pitch - 1;
        slope_row(nx + 2, mid - 1, mid, mid + 1, work->slope_x + k * pitch - 1);
    }
    flux_row(w, work->slope_x, w, work->slope_x, 1, FRAME_X, P_FBX, work->fx[j & 1], pitch, 0, nx + 1, gamma);
}

static void fluxes_y(const workspace *work, int nx, int j, double gamma) {
    flux_row(work->w[(j - 1) & 3], work->slope[(j - 1) & 1], work->w[j & 3], work->slope[j & 1], 0, FRAME_Y, P_FBY,
             work->fy[j & 1], work->pitch, -1, nx + 1, gamma);
}

/* The corners below row j, from the fluxes of rows j-1 and j. */
static void corners(const grid *g, const workspace *work, int j, double *in, double *old, double *out, double dt,
                    double weight) {
    const int pitch = work->pitch;
    emf_row row[2];
    for (int k = 0; k < 2; k++) {
        const double *fx = work->fx[(j - 1 + k) & 1];
        row[k] = (emf_row){fx + F_MASS * pitch, fx + F_BT * pitch, work->w[(j - 1 + k) & 3] + P_EZ * pitch};
    }
    const double *fy = work->fy[j & 1];
    induct_row(g->nx, row[0], row[1], fy + F_MASS * pitch, fy + F_BT * pitch, grid_row(g, old, AZ, j),
               grid_row(g, in, AZ, j), grid_row(g, out, AZ, j), dt, weight);
}

/* The cells of row j, from its four fluxes. */
static void cells(const grid *g, const workspace *work, int j, double *in, double *old, double *out, double dt,
                  double weight) {
    static const int X[4] = {F_MASS, F_MN, F_MT, F_EN}, Y[4] = {F_MASS, F_MT, F_MN, F_EN};
    const double a = dt / g->dx, b = dt / g->dy;
    const int nx = g->nx;
    for (int v = RHO; v <= EN; v++) {
        const double *restrict fx = work->fx[j & 1] + X[v] * work->pitch;
        const double *restrict below = work->fy[j & 1] + Y[v] * work->pitch;
        const double *restrict above = work->fy[(j + 1) & 1] + Y[v] * work->pitch;
        const double *was = grid_row(g, old, v, j), *now = grid_row(g, in, v, j);
        double *next = grid_row(g, out, v, j);
#pragma omp simd
        for (int i = 0; i < nx; i++)
            next[i] = was[i] + weight * ((now[i] - was[i]) - (a * (fx[i + 1] - fx[i]) + b * (above[i] - below[i])));
    }
}

void stage_advance(const grid *g, gas *gas, workspace *work, double *in, double *old, double *out, double dt,
                   double weight) {
    const int nx = g->nx, ny = g->ny;
    primitive_row(g, gas, in, -2, work->w[-2 & 3], work->pitch);
    primitive_row(g, gas, in, -1, work->w[-1 & 3], work->pitch);
    for (int j = -1; j <= ny; j++) {
        primitive_row(g, gas, in, j + 1, work->w[(j + 1) & 3], work->pitch);
        slopes_y(work, nx, j);
        if (j >= 0)
            fluxes_y(work, nx, j, gas->gamma);
        if (j >= 1) /* before the x fluxes of row j take the place of row j - 2: not those of j - 1 */
            cells(g, work, j - 1, in, old, out, dt, weight);
        if (j < ny)
            fluxes_x(work, nx, j, gas->gamma);
        if (j >= 0 && j < ny)
            corners(g, work, j, in, old, out, dt, weight);
    }
}
