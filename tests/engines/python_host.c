/* python_host BUNDLE OPTIONS CALLS [THREADS]: opens with engine "python" and engine_options OPTIONS, predicts u = 0, 1, 2,
 * ... / 10 on 1 x 8 x 8 that often, on each of THREADS threads (default: the main one) with a model of its own.
 * Prints status, first and last value and the input's address of each call, then whether the host is as it was. */
#define _GNU_SOURCE
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <surrogate/surrogate.h>

#define SIZE 8
#define CELLS (SIZE * SIZE)

static const char *bundle, *engine_options;
static int calls;
static volatile sig_atomic_t interrupts = 0;

static void on_interrupt(int number) {
    (void)number;
    interrupts += 1;
}

static void predict(surrogate_model *model) {
    const int64_t shape[3] = {1, SIZE, SIZE};
    float input[CELLS], output[CELLS];
    for (int i = 0; i < CELLS; ++i) {
        input[i] = (float)i * 0.1f;
        output[i] = -7.0f;
    }
    const int status = surrogate_predict_array(model, output, input, SURROGATE_FLOAT32, 3, shape, NULL);
    flockfile(stdout);
    printf("%s first %.9g last %.9g input %ju\n", surrogate_status_name(status), (double)output[0],
           (double)output[CELLS - 1], (uintmax_t)(uintptr_t)input);
    if (status != SURROGATE_OK)
        printf("text %s\n", surrogate_last_error());
    funlockfile(stdout);
}

static void *work(void *unused) {
    surrogate_open_options options;
    surrogate_statistics statistics = {.struct_size = sizeof statistics};
    surrogate_model *model = NULL;
    surrogate_open_options_init(&options, sizeof options);
    options.engine = "python";
    options.engine_options = engine_options;
    const int status = surrogate_open(&model, bundle, &options);
    if (status != SURROGATE_OK) {
        printf("%s\ntext %s\n", surrogate_status_name(status), surrogate_last_error());
        return unused;
    }
    for (int call = 0; call < calls; ++call)
        predict(model);
    surrogate_get_statistics(model, &statistics);
    printf("copies %jd\n", (intmax_t)statistics.input_copies);
    surrogate_close(model);
    return unused;
}

static int same_signals(const struct sigaction *before, const sigset_t *mask) {
    struct sigaction now;
    sigset_t now_mask;
    pthread_sigmask(SIG_BLOCK, NULL, &now_mask);
    int same = 1;
    for (int number = 1; number < 32; ++number) {
        sigaction(number, NULL, &now);
        same = same && now.sa_handler == before[number].sa_handler && now.sa_flags == before[number].sa_flags &&
               sigismember(mask, number) == sigismember(&now_mask, number);
    }
    return same;
}

int main(int argc, char **argv) {
    struct sigaction before[32];
    sigset_t mask;
    pthread_t threads[8];
    bundle = argv[1];
    engine_options = argv[2];
    calls = atoi(argv[3]);
    const int count = argc > 4 ? atoi(argv[4]) : 0;

    signal(SIGINT, on_interrupt);
    for (int number = 1; number < 32; ++number)
        sigaction(number, NULL, &before[number]);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    char *locale = strdup(setlocale(LC_ALL, NULL));
    feenableexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
    const int traps = fegetexcept(), rounding = fegetround();

    for (int i = 0; i < count; ++i)
        pthread_create(&threads[i], NULL, work, NULL);
    if (count == 0)
        work(NULL);
    for (int i = 0; i < count; ++i)
        pthread_join(threads[i], NULL);

    raise(SIGINT);
    printf("signals %s\n", interrupts == 1 && same_signals(before, &mask) ? "kept" : "changed");
    printf("locale %s\n", strcmp(locale, setlocale(LC_ALL, NULL)) == 0 ? "kept" : "changed");
    printf("traps %s\n", fegetexcept() == traps && fegetround() == rounding ? "kept" : "changed");
    free(locale);
    return 0;
}
