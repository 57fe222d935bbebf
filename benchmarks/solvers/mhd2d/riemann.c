#include "riemann.h"

#include <math.h>

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

void slope_row(int n, const double *restrict left, const double *restrict mid, const double *restrict right,
               double *restrict slope) {
#pragma omp simd
    for (int i = 0; i < n; i++) {
        double a = mid[i] - left[i], b = right[i] - mid[i];
        double central = 0.5 * (a + b);
        double least = 2.0 * MIN(fabs(a), fabs(b));
        least = MIN(least, fabs(central));
        slope[i] = a * b > 0.0 ? copysign(least, central) : 0.0;
    }
}

/* Fast magnetosonic speed along n; pressure times gamma, in-plane B^2 and Bn^2. */
static inline double fast_speed(double rho, double gp, double b2, double bn2) {
    double sum = gp + b2, root = sum * sum - 4.0 * gp * bn2;
    return sqrt(0.5 * (sum + sqrt(MAX(root, 0.0))) / rho);
}

void hlld_row(int n, double gamma, const double *const lower[NFACE], const double *const lower_slope[NFACE],
              const double *const upper[NFACE], const double *const upper_slope[NFACE], const double *restrict bn_row,
              double *const flux[NFACE]) {
    const double *restrict wl0 = lower[0], *restrict wl1 = lower[1], *restrict wl2 = lower[2], *restrict wl3 = lower[3],
                           *restrict wl4 = lower[4];
    const double *restrict sl0 = lower_slope[0], *restrict sl1 = lower_slope[1], *restrict sl2 = lower_slope[2],
                           *restrict sl3 = lower_slope[3], *restrict sl4 = lower_slope[4];
    const double *restrict wr0 = upper[0], *restrict wr1 = upper[1], *restrict wr2 = upper[2], *restrict wr3 = upper[3],
                           *restrict wr4 = upper[4];
    const double *restrict sr0 = upper_slope[0], *restrict sr1 = upper_slope[1], *restrict sr2 = upper_slope[2],
                           *restrict sr3 = upper_slope[3], *restrict sr4 = upper_slope[4];
    double *restrict f0 = flux[0], *restrict f1 = flux[1], *restrict f2 = flux[2], *restrict f3 = flux[3],
                     *restrict f4 = flux[4];
    const double to_energy = 1.0 / (gamma - 1.0);

#pragma omp simd
    for (int i = 0; i < n; i++) {
        double rl = wl0[i] + 0.5 * sl0[i], rr = wr0[i] - 0.5 * sr0[i];
        double ul = wl1[i] + 0.5 * sl1[i], ur = wr1[i] - 0.5 * sr1[i];
        double vl = wl2[i] + 0.5 * sl2[i], vr = wr2[i] - 0.5 * sr2[i];
        double pl = wl3[i] + 0.5 * sl3[i], pr = wr3[i] - 0.5 * sr3[i];
        double bl = wl4[i] + 0.5 * sl4[i], br = wr4[i] - 0.5 * sr4[i];
        double bn = bn_row[i], bn2 = bn * bn;

        /* Outer waves, eq. 67. */
        double b2l = bn2 + bl * bl, b2r = bn2 + br * br;
        double cl = fast_speed(rl, gamma * pl, b2l, bn2), cr = fast_speed(rr, gamma * pr, b2r, bn2);
        double c = MAX(cl, cr);
        double s_l = MIN(ul, ur) - c, s_r = MAX(ul, ur) + c;

        /* Contact speed and total pressure between the fast waves, eqs. 38, 41. */
        double ptl = pl + 0.5 * b2l, ptr = pr + 0.5 * b2r;
        double dl = rl * (s_l - ul), dr = rr * (s_r - ur);
        double over = 1.0 / (dr - dl);
        double sm = (dr * ur - dl * ul - ptr + ptl) * over;
        double pt = (dr * ptl - dl * ptr + dl * dr * (ur - ul)) * over;

        /* Star states, eqs. 43-47; where the denominator vanishes, the tangential parts do not change. */
        double gap_l = s_l - sm, gap_r = s_r - sm;
        double den_l = dl * gap_l - bn2, den_r = dr * gap_r - bn2;
        double tiny = 1e-8 * pt;
        double inv_l = fabs(den_l) > tiny ? 1.0 / den_l : 0.0, inv_r = fabs(den_r) > tiny ? 1.0 / den_r : 0.0;
        double push_l = bn * (sm - ul) * inv_l, push_r = bn * (sm - ur) * inv_r;
        double vls = vl - bl * push_l, vrs = vr - br * push_r;
        double grow_l = dl * (sm - ul) * inv_l, grow_r = dr * (sm - ur) * inv_r;
        double bls = bl + bl * grow_l, brs = br + br * grow_r;
        double inv_gap_l = 1.0 / gap_l, inv_gap_r = 1.0 / gap_r;
        double rls = dl * inv_gap_l, rrs = dr * inv_gap_r;

        /* Between the Alfven waves, eqs. 59, 61. */
        double root_l = sqrt(rls), root_r = sqrt(rrs);
        double sign = copysign(1.0, bn), share = 1.0 / (root_l + root_r);
        double vss = (root_l * vls + root_r * vrs + (brs - bls) * sign) * share;
        double bss = (root_l * brs + root_r * bls + root_l * root_r * (vrs - vls) * sign) * share;

        /* Upwind side, by the sign of the contact speed. */
        int left = sm >= 0.0;
        double r = left ? rl : rr, u = left ? ul : ur, v = left ? vl : vr, p = left ? pl : pr, b = left ? bl : br;
        double ptu = left ? ptl : ptr, rs = left ? rls : rrs, vs = left ? vls : vrs, bs = left ? bls : brs;
        double s_minus_u = left ? s_l - ul : s_r - ur, inv_gap = left ? inv_gap_l : inv_gap_r,
               root = left ? root_l : root_r;
        double side = left ? -1.0 : 1.0;
        double s_out = left ? MIN(s_l, 0.0) : MAX(s_r, 0.0);
        double alfven = sm + side * fabs(bn) / root;
        double s_in = left ? MIN(alfven, 0.0) : MAX(alfven, 0.0);

        /* Energies, eqs. 48, 63, and the flux, eq. 66 as F + S (U* - U) + S* (U** - U*). */
        double e = p * to_energy + 0.5 * r * (u * u + v * v) + ptu - p;
        double vb = u * bn + v * b, vbs = sm * bn + vs * bs, vbss = sm * bn + vss * bss;
        double es = (s_minus_u * e - ptu * u + pt * sm + bn * (vb - vbs)) * inv_gap;
        double ess_minus_es = side * root * (vbs - vbss) * sign;
        double mass = r * u;
        f0[i] = mass + s_out * (rs - r);
        f1[i] = mass * u + ptu - bn2 + s_out * (rs * sm - mass);
        f2[i] = mass * v - bn * b + s_out * (rs * vs - r * v) + s_in * rs * (vss - vs);
        f3[i] = (e + ptu) * u - bn * vb + s_out * (es - e) + s_in * ess_minus_es;
        f4[i] = u * b - v * bn + s_out * (bs - b) + s_in * (bss - bs);
    }
}
