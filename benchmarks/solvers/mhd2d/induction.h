/* Induction by constrained transport. The potential az sits at cell corners, b0 is the mean field:
 *   Bx(i-1/2, j) = b0x + (az[j+1][i] - az[j][i]) / dy,   By(i, j-1/2) = b0y - (az[j][i+1] - az[j][i]) / dx,
 * so that div B vanishes to round-off whatever az is. Cell B is the mean of its two faces. */
#ifndef MHD2D_INDUCTION_H
#define MHD2D_INDUCTION_H

typedef struct {
    double x, y;
} mean_field;

/* Field of the cell whose lower left corner is low[i]; low and high are the rows of az below and above it. */
static inline double cell_bx(double b0x, double over_dy, const double *low, const double *high, int i) {
    return b0x + 0.5 * over_dy * ((high[i] - low[i]) + (high[i + 1] - low[i + 1]));
}

static inline double cell_by(double b0y, double over_dx, const double *low, const double *high, int i) {
    return b0y - 0.5 * over_dx * ((low[i + 1] - low[i]) + (high[i + 1] - high[i]));
}

static inline double face_bx(double b0x, double over_dy, const double *low, const double *high, int i) {
    return b0x + over_dy * (high[i] - low[i]);
}

static inline double face_by(double b0y, double over_dx, const double *low, int i) {
    return b0y - over_dx * (low[i + 1] - low[i]);
}

/* One row of what the corner field needs; index i is the cell or its lower face. */
typedef struct {
    const double *mass_x, *bt_x; /* fluxes of mass and By through the faces (i-1/2, j) */
    const double *ez;            /* cell-centred vy Bx - vx By */
} emf_row;

/* az_out[i] = az_old[i] + weight ((az_in[i] - az_old[i]) - dt Ez) at the corners (i-1/2, j-1/2), i in [0, n).
 * `above` is cell row j, `below` is row j-1; mass_y and bt_y are the fluxes of mass and Bx through the faces
 * (i, j-1/2). Ez is the upwinded corner field of Gardiner & Stone, J. Comput. Phys. 205, 509 (2005), eqs. 41, 50. */
void induct_row(int n, emf_row below, emf_row above, const double *mass_y, const double *bt_y, const double *az_old,
                const double *az_in, double *az_out, double dt, double weight);

#endif
