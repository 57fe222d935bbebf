#include "induction.h"

/* The share of the lower side: 1 where mass flows upwards through the face, 0 where it flows down. */
static inline double from_below(double mass_flux) {
    return mass_flux > 0.0 ? 1.0 : mass_flux < 0.0 ? 0.0 : 0.5;
}

void induct_row(int n, emf_row below, emf_row above, const double *restrict mass_y, const double *restrict bt_y,
                const double *az_old, const double *az_in, double *az_out, double dt, double weight) {
#pragma omp simd
    for (int i = 0; i < n; i++) {
        /* Ez on the four faces that meet here: below, above (x faces), west, east (y faces). */
        double e_s = -below.bt_x[i], e_n = -above.bt_x[i], e_w = bt_y[i - 1], e_e = bt_y[i];
        double c_sw = below.ez[i - 1], c_se = below.ez[i], c_nw = above.ez[i - 1], c_ne = above.ez[i];
        /* Differences from cell centre to face, each taken from the upwind side of the face between. */
        double w_n = from_below(above.mass_x[i]), w_s = from_below(below.mass_x[i]);
        double w_e = from_below(mass_y[i]), w_w = from_below(mass_y[i - 1]);
        double d_n = (1.0 - w_n) * (e_e - c_ne) + w_n * (e_w - c_nw);
        double d_s = (1.0 - w_s) * (e_e - c_se) + w_s * (e_w - c_sw);
        double d_e = (1.0 - w_e) * (e_n - c_ne) + w_e * (e_s - c_se);
        double d_w = (1.0 - w_w) * (e_n - c_nw) + w_w * (e_s - c_sw);
        double ez = 0.25 * (((e_n + e_s) + (e_w + e_e)) + ((d_n + d_s) + (d_e + d_w)));
        az_out[i] = az_old[i] + weight * ((az_in[i] - az_old[i]) - dt * ez);
    }
}
