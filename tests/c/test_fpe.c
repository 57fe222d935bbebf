/* A host that traps floating-point exceptions, in its OpenMP threads too, survives every call and finds its
 * floating-point environment as it left it. */
#define _GNU_SOURCE
#include "check.h"

#include <fenv.h>
#include <math.h>

enum { TRAPS = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW };

static void calls(const char *name) {
    double u[5 * 16], next[5 * 16];
    float single[5 * 16], single_next[5 * 16];
    const double bad[] = {NAN, INFINITY, 1e300, 1e-310, 0.0};
    int64_t shape[3] = {5, 4, 4};
    surrogate_model *m = NULL;
    surrogate_rejection rejection;
    surrogate_verification verification;
    surrogate_info info;
    surrogate_step_options step;
    int i, k;
    rejection.struct_size = sizeof rejection;
    verification.struct_size = sizeof verification;
    info.struct_size = sizeof info;
    surrogate_step_options_init(&step, sizeof step);
    if (surrogate_open(&m, bundle(name), NULL) != SURROGATE_OK)
        return;
    surrogate_get_info(m, &info);
    shape[0] = info.channel_count;
    for (i = 0; i < 5; ++i) {
        for (k = 0; k < 5 * 16; ++k) {
            u[k] = 0.1 * k;
            single[k] = 0.1f * (float)k;
        }
        u[3] = bad[i];
        memset(&single[3], i & 1 ? 0x7f : 0xff, sizeof(float));
        surrogate_predict_array(m, next, u, SURROGATE_FLOAT64, 3, shape, &step);
        surrogate_predict_array(m, single_next, single, SURROGATE_FLOAT32, 3, shape, NULL);
        surrogate_last_rejection(m, &rejection);
        surrogate_verify(m, &verification);
        surrogate_last_error();
    }
    surrogate_close(m);
}

static const char *const names[] = {"flow",     "identity",  "zero",    "bounded", "tiny_std",           "fail_nan",
                                    "fail_inf", "fail_load", "example", "bad_std", "truncated_manifest", "fail_run"};

static void trapping_thread(void) {
    size_t i;
    feclearexcept(FE_ALL_EXCEPT);
    fesetround(FE_UPWARD);
    CHECK(feenableexcept(TRAPS) != -1);
    for (i = 0; i < sizeof names / sizeof *names; ++i) {
        calls(names[i]);
        CHECK(fegetexcept() == TRAPS);
        CHECK(fegetround() == FE_UPWARD);
        CHECK(fetestexcept(TRAPS) == 0);
    }
    fedisableexcept(TRAPS);
    fesetround(FE_TONEAREST);
}

int main(int argc, char **argv) {
    start(argc, argv);
    trapping_thread();
#pragma omp parallel num_threads(2)
    trapping_thread();
    return finish();
}
