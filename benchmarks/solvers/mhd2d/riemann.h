/* One row of faces at a time: limited slopes and the HLLD flux, in a frame turned to the face.
 *
 * n is the direction normal to the face, t the one along it. vz = Bz = 0, units with mu0 = 1.
 */
#ifndef MHD2D_RIEMANN_H
#define MHD2D_RIEMANN_H

/* Primitives of a face's frame; Bn is single-valued at the face and comes apart. */
enum { W_RHO, W_VN, W_VT, W_P, W_BT, NFACE };
/* Fluxes of mass, momentum (n, t), energy and Bt, in the same order. */
enum { F_MASS, F_MN, F_MT, F_EN, F_BT };

/* slope[i] = monotonised-central difference of (left, mid, right)[i], for a whole cell width.
 * van Leer, J. Comput. Phys. 23, 276 (1977). */
void slope_row(int n, const double *left, const double *mid, const double *right, double *slope);

/* flux[.][i] through face i. Cells on its lower and upper side have primitives lower[.][i], upper[.][i] and slopes
 * lower_slope[.][i], upper_slope[.][i]; bn[i] is the normal field.
 * Miyoshi & Kusano, J. Comput. Phys. 208, 315 (2005), eqs. 31-67. */
void hlld_row(int n, double gamma, const double *const lower[NFACE], const double *const lower_slope[NFACE],
              const double *const upper[NFACE], const double *const upper_slope[NFACE], const double *bn,
              double *const flux[NFACE]);

#endif
