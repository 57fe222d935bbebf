/* surrogate_predict_begin, _test and _wait: the outcome of surrogate_predict, decided and written in _wait. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { N = 8, CELLS = N * N };

static void describe(surrogate_field *f, double *u) {
    const int64_t shape[2] = {N, N};
    surrogate_field_init(f, "u", u, SURROGATE_FLOAT64, 2, shape);
}

static void the_frame_is_written_in_wait(void) {
    surrogate_model *m = open_bundle("example"); /* u' = 3 u */
    double now[CELLS], next[CELLS] = {0};
    surrogate_field in, out;
    int i, call, done = 0;
    for (i = 0; i < CELLS; ++i)
        now[i] = i;
    describe(&in, now);
    describe(&out, next);
    for (call = 0; call < 50; ++call) {
        memset(next, 0, sizeof next);
        CHECK_STATUS(surrogate_predict_begin(m, &out, &in, 1, NULL), SURROGATE_OK, "");
        do
            CHECK_STATUS(surrogate_predict_test(m, &done), SURROGATE_OK, "");
        while (!done);
        CHECK(next[3] == 0.0);
        CHECK_STATUS(surrogate_predict_wait(m), SURROGATE_OK, "");
        CHECK(next[3] == 9.0 && next[CELLS - 1] == 3.0 * (CELLS - 1));
    }
    surrogate_close(m);
}

static void in_between_other_calls_are_refused(void) {
    surrogate_model *m = open_bundle("identity");
    const int64_t shape[3] = {1, N, N};
    double now[CELLS] = {1}, next[CELLS];
    surrogate_field in, out;
    surrogate_statistics statistics;
    surrogate_rejection rejection;
    surrogate_verification verification;
    surrogate_info info;
    int done;
    statistics.struct_size = sizeof statistics;
    rejection.struct_size = sizeof rejection;
    verification.struct_size = sizeof verification;
    info.struct_size = sizeof info;
    describe(&in, now);
    describe(&out, next);
    CHECK_STATUS(surrogate_predict_wait(m), SURROGATE_ERROR_ARGUMENT, "no prediction of this model is under way");
    CHECK_STATUS(surrogate_predict_test(m, &done), SURROGATE_ERROR_ARGUMENT, "no prediction of this model");
    CHECK_STATUS(surrogate_predict_begin(m, &out, &in, 1, NULL), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_begin(m, &out, &in, 1, NULL), SURROGATE_ERROR_ARGUMENT, "is under way");
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, NULL), SURROGATE_ERROR_ARGUMENT, "is under way");
    CHECK_STATUS(surrogate_predict_array(m, next, now, SURROGATE_FLOAT64, 3, shape, NULL), SURROGATE_ERROR_ARGUMENT,
                 "is under way");
    CHECK_STATUS(surrogate_get_statistics(m, &statistics), SURROGATE_ERROR_ARGUMENT, "is under way");
    CHECK_STATUS(surrogate_last_rejection(m, &rejection), SURROGATE_ERROR_ARGUMENT, "is under way");
    CHECK_STATUS(surrogate_verify(m, &verification), SURROGATE_ERROR_ARGUMENT, "is under way");
    CHECK_STATUS(surrogate_get_info(m, &info), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_wait(m), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_get_statistics(m, &statistics), SURROGATE_OK, "");
    CHECK(statistics.calls == 1 && statistics.ok == 1 && statistics.errors == 0);
    surrogate_close(m);
}

static void rejections_and_failures_come_out_of_wait(void) {
    surrogate_model *m = open_bundle("bounded"), *bad = open_bundle("fail_run");
    double now[CELLS] = {0}, next[CELLS] = {0};
    surrogate_field in, out;
    surrogate_statistics statistics;
    statistics.struct_size = sizeof statistics;
    describe(&in, now);
    describe(&out, next);
    in.dtype = SURROGATE_FLOAT32;
    CHECK_STATUS(surrogate_predict_begin(m, &out, &in, 1, NULL), SURROGATE_ERROR_DTYPE,
                 "output of float64 and input of float32");
    in.dtype = SURROGATE_FLOAT64;
    now[5] = 20;
    CHECK_STATUS(surrogate_predict_begin(m, &out, &in, 1, NULL), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_wait(m), SURROGATE_REJECTED, "surrogate_predict_wait: rejected: input field 'u'");
    now[5] = 8; /* doubled: above 10 */
    CHECK_STATUS(surrogate_predict_begin(m, &out, &in, 1, NULL), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_wait(m), SURROGATE_REJECTED, "predicted field 'u' is out of bounds");
    CHECK(next[5] == 0.0);
    CHECK_STATUS(surrogate_predict_begin(bad, &out, &in, 1, NULL), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_wait(bad), SURROGATE_ERROR_EXECUTION, "asks to fail in run");
    surrogate_get_statistics(bad, &statistics);
    CHECK(statistics.calls == 1 && statistics.errors == 1);
    surrogate_close(m);
    surrogate_close(bad);
}

static void closing_waits_and_writes_nothing(void) {
    int i;
    for (i = 0; i < 20; ++i) {
        surrogate_model *m = open_bundle("identity");
        double now[CELLS] = {1}, next[CELLS] = {0};
        surrogate_field in, out;
        describe(&in, now);
        describe(&out, next);
        CHECK_STATUS(surrogate_predict_begin(m, &out, &in, 1, NULL), SURROGATE_OK, "");
        surrogate_close(m);
        CHECK(next[0] == 0.0);
    }
}

static pthread_t host;
static volatile sig_atomic_t elsewhere = 0;

static void count(int number) {
    (void)number;
    elsewhere += !pthread_equal(pthread_self(), host);
}

/* The library's thread takes no signal, and the host's mask and floating-point environment stay. */
static void the_host_stays_as_it_was(void) {
    surrogate_model *m = open_bundle("identity");
    double now[CELLS] = {1}, next[CELLS];
    surrogate_field in, out;
    const struct timespec pause = {0, 500000};
    sigset_t before, after, usr1;
    struct sigaction action;
    int i;
    memset(&action, 0, sizeof action);
    action.sa_handler = count;
    sigaction(SIGUSR1, &action, NULL);
    host = pthread_self();
    describe(&in, now);
    describe(&out, next);
    fesetround(FE_UPWARD);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    CHECK_STATUS(surrogate_predict_begin(m, &out, &in, 1, NULL), SURROGATE_OK, "");
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (i = 1; i < 32; ++i)
        CHECK(sigismember(&before, i) == sigismember(&after, i));
    CHECK(fegetround() == FE_UPWARD);
    CHECK_STATUS(surrogate_predict_wait(m), SURROGATE_OK, "");
    fesetround(FE_TONEAREST);
    CHECK(next[0] == 2.0);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL); /* a thread that did not block it would get it now */
    for (i = 0; i < 20; ++i) {
        kill(getpid(), SIGUSR1);
        nanosleep(&pause, NULL);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    CHECK(elsewhere == 0);
    surrogate_close(m);
}

int main(int argc, char **argv) {
    start(argc, argv);
    the_frame_is_written_in_wait();
    in_between_other_calls_are_refused();
    rejections_and_failures_come_out_of_wait();
    closing_waits_and_writes_nothing();
    the_host_stays_as_it_was();
    return finish();
}
