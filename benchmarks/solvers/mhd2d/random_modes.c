/* The random family: few Fourier modes with random amplitudes and phases, scaled to a drawn Mach number and beta. */
#include <math.h>

#include "problem.h"

static const double PI = 3.14159265358979323846;

/* splitmix64 (Steele, Lea & Flood 2014): one stream a field, so that a change to one leaves the others alone. */
typedef struct {
    unsigned long long state;
} stream;

static unsigned long long next_bits(stream *r) {
    unsigned long long z = r->state += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static stream open_stream(unsigned long seed, unsigned field) {
    stream r = {(unsigned long long)seed * 0xd1342543de82ef95ULL + field};
    r.state = next_bits(&r);
    return r;
}

/* Uniform in (0, 1). */
static double uniform(stream *r) {
    return ((double)(next_bits(r) >> 11) + 0.5) * 0x1p-53;
}

static double between(stream *r, double low, double high) {
    return low + (high - low) * uniform(r);
}

/* All wave numbers 0 < |k| <= k_max of a half plane, normal amplitudes falling as |k|^-slope. */
static void draw_modes(modes *m, stream *r, double lx, double ly, double k_max, double slope) {
    int top = (int)k_max;
    m->count = 0;
    for (int ky = 0; ky <= top; ky++)
        for (int kx = -top; kx <= top; kx++) {
            double k = sqrt((double)(kx * kx + ky * ky));
            if (k > k_max || (ky == 0 && kx <= 0) || m->count == MAX_MODES)
                continue;
            double radius = sqrt(-2.0 * log(uniform(r))) * pow(k, -slope), angle = 2.0 * PI * uniform(r);
            m->mode[m->count].kx = 2.0 * PI * kx / lx;
            m->mode[m->count].ky = 2.0 * PI * ky / ly;
            m->mode[m->count].c = radius * cos(angle);
            m->mode[m->count].s = radius * sin(angle);
            m->count++;
        }
}

/* Scale so that the rms of the value (power 0) or of the gradient (power 1) is `rms`. */
static void scale_modes(modes *m, int power, double rms) {
    double square = 0.0;
    for (int i = 0; i < m->count; i++) {
        double k2 = m->mode[i].kx * m->mode[i].kx + m->mode[i].ky * m->mode[i].ky;
        double a2 = m->mode[i].c * m->mode[i].c + m->mode[i].s * m->mode[i].s;
        square += 0.5 * a2 * (power ? k2 : 1.0);
    }
    double factor = rms / sqrt(square);
    for (int i = 0; i < m->count; i++) {
        m->mode[i].c *= factor;
        m->mode[i].s *= factor;
    }
}

double modes_value(const modes *m, double x, double y) {
    double sum = 0.0;
    for (int i = 0; i < m->count; i++) {
        double phase = m->mode[i].kx * x + m->mode[i].ky * y;
        sum += m->mode[i].c * cos(phase) + m->mode[i].s * sin(phase);
    }
    return sum;
}

void modes_gradient(const modes *m, double x, double y, double gradient[2]) {
    gradient[0] = gradient[1] = 0.0;
    for (int i = 0; i < m->count; i++) {
        double phase = m->mode[i].kx * x + m->mode[i].ky * y;
        double along = m->mode[i].s * cos(phase) - m->mode[i].c * sin(phase);
        gradient[0] += m->mode[i].kx * along;
        gradient[1] += m->mode[i].ky * along;
    }
}

void random_family(problem *p, unsigned long seed, double mach, double beta) {
    stream scalar = open_stream(seed, 0);
    double drawn_mach = between(&scalar, 0.3, 0.6), drawn_beta = exp(between(&scalar, log(3.0), log(10.0)));
    double compressive = between(&scalar, 0.0, 0.2);
    double rho_rms = between(&scalar, 0.1, 0.3), p_rms = between(&scalar, 0.0, 0.1);
    double v = isnan(mach) ? drawn_mach : mach; /* the sound speed is 1 */
    double b = sqrt(2.0 * p->gamma / (isnan(beta) ? drawn_beta : beta));
    struct {
        modes *modes;
        double slope, rms;
        int power;
    } field[5] = {{&p->stream, 2.0, v, 1},
                  {&p->compressive, 2.0, v * compressive, 1},
                  {&p->az, 2.0, b, 1},
                  {&p->log_rho, 1.0, rho_rms, 0},
                  {&p->log_p, 1.0, p_rms, 0}};
    for (unsigned f = 0; f < 5; f++) {
        stream r = open_stream(seed, f + 1);
        draw_modes(field[f].modes, &r, p->lx, p->ly, 2.3, field[f].slope);
        scale_modes(field[f].modes, field[f].power, field[f].rms);
    }
}
