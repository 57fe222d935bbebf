/* trapping_host BUNDLE SIZE THREADS early|late [any]: a solver with floating-point traps, alone or with OpenMP workers.
 * early: the workers start before the model is opened; late: only after the predictions.
 * any: the program takes any grid; else it fails on one of 12 x 12.  Ends with 0 and "ok" if every call returned its
 * status and all traps still work afterwards. */
#define _GNU_SOURCE
#include <fenv.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#else
static int omp_get_max_threads(void) {
    return 1;
}
#endif
#include <surrogate/surrogate.h>

#define TRAPS (FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW)

static _Thread_local sigjmp_buf back;
static volatile double zero = 0.0;

static void on_trap(int signal) {
    (void)signal;
    siglongjmp(back, 1);
}

/* 1 if dividing by zero traps on this thread, in the SSE unit. */
static int traps_work(void) {
    if (sigsetjmp(back, 1) != 0) {
        feclearexcept(FE_ALL_EXCEPT);
        feenableexcept(TRAPS); /* the handler's return path need not restore the masks */
        return 1;
    }
    volatile double quotient = 1.0 / zero;
    (void)quotient;
    return 0;
}

/* How many threads of the team trap. */
static int trapping_threads(void) {
    int count = 0;
#ifdef _OPENMP
#pragma omp parallel reduction(+ : count)
#endif
    count += (fegetexcept() & TRAPS) == TRAPS && traps_work();
    return count;
}

static int failures = 0;

static void expect(int given, int expected, const char *what) {
    if (given == expected)
        return;
    printf("%s: %d, expected %d (%s)\n", what, given, expected, surrogate_last_error());
    failures += 1;
}

static void print_openmp(void) {
    char line[1024];
    FILE *maps = fopen("/proc/self/maps", "r");
    char last[1024] = "";
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        char *path = strchr(line, '/');
        if (path != NULL && strstr(path, "libgomp") != NULL && strcmp(path, last) != 0) {
            printf("openmp %s", path);
            strcpy(last, path);
        }
    }
    if (maps != NULL)
        fclose(maps);
}

int main(int argc, char **argv) {
    const int64_t size = atoll(argv[2]), shape[3] = {1, size, size}, bad[3] = {1, 12, 12};
    const size_t count = (size_t)(size * size);
    float *u = malloc(count * sizeof *u);
    surrogate_open_options options;
    surrogate_model *model = NULL;

    signal(SIGFPE, on_trap);
    feenableexcept(TRAPS);
    const int team = omp_get_max_threads();
    if (argc > 4 && strcmp(argv[4], "early") == 0)
        expect(trapping_threads(), team, "threads that trap before");

    surrogate_open_options_init(&options, sizeof options);
    options.threads = atoi(argv[3]);
    expect(surrogate_open(&model, argv[1], &options), SURROGATE_OK, "open");
    for (int round = 0; round < 3 && model != NULL; ++round) {
        for (size_t i = 0; i < count; ++i)
            u[i] = 1.0f;
        expect(surrogate_predict_array(model, u, u, SURROGATE_FLOAT32, 3, shape, NULL), SURROGATE_OK, "predict");
        expect(u[count - 1] == 2.0f, 1, "right answer");
        u[3] = NAN;
        expect(surrogate_predict_array(model, u, u, SURROGATE_FLOAT32, 3, shape, NULL), SURROGATE_REJECTED, "NaN");
        u[3] = 1.0f;
        expect(surrogate_predict_array(model, u, u, SURROGATE_FLOAT32, 3, bad, NULL),
               argc > 5 ? SURROGATE_OK : SURROGATE_ERROR_EXECUTION, "12");
        expect(omp_get_max_threads(), team, "omp_get_max_threads");
        expect((fegetexcept() & TRAPS) == TRAPS, 1, "traps of the calling thread");
        if (argc > 4 && strcmp(argv[4], "early") == 0)
            expect(trapping_threads(), team, "threads that trap between calls");
    }
    surrogate_close(model);
    expect(trapping_threads(), team, "threads that trap afterwards");
    expect(omp_get_max_threads(), team, "omp_get_max_threads after close");
    print_openmp();
    free(u);
    puts(failures == 0 ? "ok" : "failed");
    return failures != 0;
}
