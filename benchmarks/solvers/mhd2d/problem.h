/* Initial states, as functions of position: identical on any rank count, and the same fields at any resolution.
 * Units: mu0 = 1; the Orszag-Tang family has rho = 25/9, p = 5/3, |v| = |B| = 1, so the sound speed is 1. */
#ifndef MHD2D_PROBLEM_H
#define MHD2D_PROBLEM_H

#include "induction.h"
#include "solver.h"

enum { MAX_MODES = 40 };

/* A sum of Fourier modes c cos(k.x) + s sin(k.x), k = 2 pi (kx / lx, ky / ly). */
typedef struct {
    int count;
    struct {
        double kx, ky, c, s;
    } mode[MAX_MODES];
} modes;

typedef struct problem problem;
struct problem {
    const char *name;
    double gamma, lx, ly;
    mean_field b0;
    void (*cell)(const problem *, double x, double y, double w[4]); /* rho, vx, vy, p at a cell centre */
    double (*potential)(const problem *, double x, double y);       /* az at a corner */
    double amplitude;                                               /* of the wave */
    modes stream, compressive, az, log_rho, log_p;                  /* of the random family */
};

/* What the options say; NAN means the problem's own default. */
typedef struct {
    const char *name;
    unsigned long seed;
    double gamma, lx, ly, b0x, b0y;
    double mach, beta; /* rms of the random family; drawn when NAN */
} problem_choice;

int problem_create(problem *p, const problem_choice *choice);

/* Set the solver's state from the problem. Collective. */
void problem_apply(const problem *p, solver *s);

/* random_modes.c: draw the random family's modes from the seed. */
void random_family(problem *p, unsigned long seed, double mach, double beta);
double modes_value(const modes *m, double x, double y);
void modes_gradient(const modes *m, double x, double y, double gradient[2]);

#endif
