/* test_guest FOLDER | GOOD.surrogate FAILING.surrogate: nothing of guest.h changes over any public call, good or
 * failing. GOOD predicts at its smallest grid, the program of FAILING fails on the grid 12 x 12.  One row a call. */
#define _GNU_SOURCE
#include "check.h"
#include "guest.h"

#include <math.h>

enum { LARGEST = 1 << 20 };
static double now[LARGEST], next[LARGEST];
static float single[LARGEST], single_next[LARGEST];
static int64_t shape[4];
static int rank;
static char good[4096], failing[4096];
static surrogate_model *model, *other, *noisy; /* noisy: NULL where the bundle is not given */
static surrogate_recorder *recorder;
static char scratch[] = "/tmp/surrogate-guest-XXXXXX", recording[64];
static surrogate_file files[16];
static size_t file_count;

static int options_for(surrogate_open_options *options) {
    surrogate_open_options_init(options, sizeof *options);
    options->threads = 2; /* another number than the host's */
    return 1;
}

/* ------------------------------------------------------------------------------------------------------- the calls */

static int open_good(void) {
    surrogate_open_options options;
    options_for(&options);
    return surrogate_open(&model, good, &options);
}
static int open_failing(void) {
    surrogate_open_options options;
    options_for(&options);
    return surrogate_open(&other, failing, &options);
}
static int open_missing(void) {
    surrogate_model *none;
    return surrogate_open(&none, "/nowhere.surrogate", NULL) == SURROGATE_ERROR_NOT_FOUND ? 0 : -1;
}
static int open_without_engine(void) {
    surrogate_model *none;
    surrogate_open_options options;
    surrogate_open_options_init(&options, sizeof options);
    options.engine = "nonsense";
    return surrogate_open(&none, good, &options) == SURROGATE_ERROR_UNSUPPORTED ? 0 : -1;
}
static int open_memory(void) {
    surrogate_model *copy;
    const int status = surrogate_open_memory(&copy, files, file_count, NULL);
    surrogate_close(copy);
    return status;
}
static int get_info(void) {
    surrogate_info info;
    int k;
    info.struct_size = sizeof info;
    if (surrogate_get_info(model, &info) != SURROGATE_OK)
        return -1;
    rank = 1 + info.spatial_rank;
    shape[0] = info.channel_count;
    for (k = 0; k < info.spatial_rank; ++k) {
        shape[1 + k] = info.fixed_shape[k] ? info.fixed_shape[k] : info.minimum_shape[k];
        if (shape[1 + k] < 8)
            shape[1 + k] = 8;
    }
    return 0;
}
static int get_field_info(void) {
    surrogate_field_info info;
    info.struct_size = sizeof info;
    return surrogate_get_field_info(model, 0, &info);
}
static int get_no_parameter_info(void) {
    surrogate_parameter_info info;
    info.struct_size = sizeof info;
    return surrogate_get_parameter_info(model, 99, &info) == SURROGATE_ERROR_ARGUMENT ? 0 : -1;
}
static int get_statistics(void) {
    surrogate_statistics statistics;
    statistics.struct_size = sizeof statistics;
    return surrogate_get_statistics(model, &statistics);
}
static int predict(void) {
    return surrogate_predict_array(model, next, now, SURROGATE_FLOAT64, rank, shape, NULL) < 0;
}
static int predict_float(void) {
    return surrogate_predict_array(model, single_next, single, SURROGATE_FLOAT32, rank, shape, NULL) < 0;
}
static int predict_in_place(void) {
    return surrogate_predict_array(model, single, single, SURROGATE_FLOAT32, rank, shape, NULL) < 0;
}
static int predict_what_is_not_finite(void) {
    int status;
    now[3] = INFINITY;
    status = surrogate_predict_array(model, next, now, SURROGATE_FLOAT64, rank, shape, NULL);
    now[3] = 1;
    return status == SURROGATE_REJECTED ? 0 : -1;
}
static int predict_a_bad_shape(void) {
    return surrogate_predict_array(model, next, now, SURROGATE_FLOAT64, rank + 1, shape, NULL) == SURROGATE_ERROR_SHAPE
               ? 0
               : -1;
}
static int predict_fields_of_no_name(void) {
    surrogate_field field;
    surrogate_field_init(&field, "no field has this name", now, SURROGATE_FLOAT64, rank - 1, shape + 1);
    return surrogate_predict(model, &field, &field, 1, NULL) == SURROGATE_ERROR_FIELD ? 0 : -1;
}
static int predict_with_a_failing_program(void) {
    const int64_t twelve[3] = {1, 12, 12};
    return surrogate_predict_array(other, next, now, SURROGATE_FLOAT64, 3, twelve, NULL) == SURROGATE_ERROR_EXECUTION
               ? 0
               : -1;
}
/* The fields of `model` on `values`, as predict_array takes them. */
static size_t describe(surrogate_field *fields, double *values) {
    surrogate_field_info info;
    int64_t cells = 1, part[4];
    int f, k;
    info.struct_size = sizeof info;
    for (k = 1; k < rank; ++k)
        cells *= part[k] = shape[k];
    for (f = 0; f < 16 && surrogate_get_field_info(model, f, &info) == SURROGATE_OK; ++f) {
        part[0] = info.components;
        surrogate_field_init(&fields[f], NULL, values, SURROGATE_FLOAT64, rank, part);
        fields[f].component_axis = 0;
        values += info.components * cells;
    }
    return (size_t)f;
}
static surrogate_field in[16], out[16];
static double expected[LARGEST];

/* With the host's rounding, or its traps, the worker would make other bits, or end the process. */
static int predict_in_the_worker(void) {
    const long newest = newest_thread();
    size_t count;
    int done = 0, closed, i, status, alone;
    for (i = 0; i < LARGEST; ++i)
        now[i] = i % 3 ? 0.1 : 0.7; /* without arithmetic, which would leave flags of its own */
    alone = surrogate_predict_array(model, expected, now, SURROGATE_FLOAT64, rank, shape, NULL);
    count = describe(in, now);
    describe(out, next);
    status = surrogate_predict_begin(model, out, in, count, NULL);
    closed = threads_open_to_signals(newest) == 0;
    while (status == 0 && !done)
        status = surrogate_predict_test(model, &done);
    status = status == 0 ? surrogate_predict_wait(model) : status;
    if (status == SURROGATE_OK && memcmp(next, expected, (size_t)(shape[0] * shape[1]) * sizeof *next) != 0)
        status = -1;
    for (i = 0; i < LARGEST; ++i)
        now[i] = 1;
    return status == alone && status >= 0 && closed ? 0 : -1;
}
static int begin_what_is_not_finite(void) {
    const size_t count = describe(in, now);
    int status;
    describe(out, next);
    now[3] = INFINITY;
    status = surrogate_predict_begin(model, out, in, count, NULL);
    status = status == SURROGATE_OK ? surrogate_predict_wait(model) : status;
    now[3] = 1;
    return status == SURROGATE_REJECTED ? 0 : -1;
}
static int wait_for_nothing(void) {
    return surrogate_predict_wait(model) == SURROGATE_ERROR_ARGUMENT ? 0 : -1;
}
static int finish_with_partials(void) {
    static double sums[4096];
    surrogate_info info;
    const size_t count = describe(in, now);
    int status;
    info.struct_size = sizeof info;
    surrogate_get_info(model, &info);
    describe(out, next);
    status = surrogate_predict_begin(model, out, in, count, NULL);
    status = status == 0 ? surrogate_predict_partials(model, sums, (size_t)info.partial_count) : status;
    return (status == 0 ? surrogate_predict_finish(model, sums, (size_t)info.partial_count) : status) < 0;
}
static int rollout(void) {
    const size_t count = describe(in, now);
    describe(out, next);
    return surrogate_rollout(model, NULL, out, in, count, 3, NULL) < 0;
}
static int open_noisy(void) {
    surrogate_open_options options;
    options_for(&options);
    return bundles[0] ? surrogate_open(&noisy, bundle("noisy"), &options) : 0;
}
static int ensemble(void) {
    const int64_t cells[2] = {8, 8};
    surrogate_field pair[2], mean[2];
    surrogate_step_options step;
    int f;
    for (f = 0; f < 2; ++f) {
        surrogate_field_init(&pair[f], NULL, now + 64 * f, SURROGATE_FLOAT64, 2, cells);
        surrogate_field_init(&mean[f], NULL, next + 64 * f, SURROGATE_FLOAT64, 2, cells);
    }
    surrogate_step_options_init(&step, sizeof step);
    step.step = 3;
    step.members = 4;
    return noisy ? surrogate_predict_ensemble(noisy, mean, NULL, pair, 2, &step) : 0;
}
static int draw_noise(void) {
    surrogate_step_options step;
    surrogate_step_options_init(&step, sizeof step);
    step.step = 3;
    return surrogate_noise(single_next, 0, 4, 1, shape + 1, &step);
}

/* Without HDF5 on this machine there is no recorder, and nothing to watch. */
static int open_recorder(void) {
    const int status = surrogate_recorder_open(&recorder, recording, NULL);
    return status == SURROGATE_ERROR_ENGINE ? 0 : status;
}
static int record(void) {
    surrogate_field field;
    surrogate_field_init(&field, "u", now, SURROGATE_FLOAT64, rank - 1, shape + 1);
    return recorder ? surrogate_recorder_write(recorder, 0.5, &field, 1) : 0;
}
static int record_at_the_same_time(void) {
    surrogate_field field;
    surrogate_field_init(&field, "u", now, SURROGATE_FLOAT64, rank - 1, shape + 1);
    return !recorder || surrogate_recorder_write(recorder, 0.5, &field, 1) == SURROGATE_ERROR_ARGUMENT ? 0 : -1;
}
static int close_recorder(void) {
    return surrogate_recorder_close(recorder);
}
static int record_a_call(void) {
    surrogate_model *recorded = NULL;
    surrogate_open_options options;
    int status;
    options_for(&options);
    options.record_calls = recording;
    remove(recording);
    status = surrogate_open(&recorded, good, &options);
    if (status == SURROGATE_OK)
        status = surrogate_predict_array(recorded, next, now, SURROGATE_FLOAT64, rank, shape, NULL) < 0;
    surrogate_close(recorded);
    return status == SURROGATE_ERROR_ENGINE ? 0 : status;
}

static int last_rejection(void) {
    surrogate_rejection rejection;
    rejection.struct_size = sizeof rejection;
    return surrogate_last_rejection(model, &rejection);
}
static int verify(void) {
    surrogate_verification verification;
    verification.struct_size = sizeof verification;
    return surrogate_verify(model, &verification);
}
static int texts(void) {
    return strlen(surrogate_version()) + strlen(surrogate_last_error()) + strlen(surrogate_status_name(0)) +
                       strlen(surrogate_reason_name(0)) >
                   0
               ? 0
               : -1;
}
static int close_both(void) {
    surrogate_close(other);
    surrogate_close(noisy);
    surrogate_close(model);
    return 0;
}
static int use_a_closed_model(void) {
    surrogate_close(model);
    return predict() == 1 ? 0 : -1;
}

struct call {
    const char *name;
    int (*call)(void); /* 0: did what the row says */
};

static const struct call calls[] = {
    {"open a missing bundle", open_missing},
    {"open", open_good},
    {"open with an engine that does not fit", open_without_engine},
    {"open from memory, and close", open_memory},
    {"open another", open_failing},
    {"info", get_info},
    {"field info", get_field_info},
    {"parameter info of none", get_no_parameter_info},
    {"predict", predict},
    {"predict in float32", predict_float},
    {"predict in place", predict_in_place},
    {"predict again", predict},
    {"predict what is not finite", predict_what_is_not_finite},
    {"predict a bad shape", predict_a_bad_shape},
    {"predict fields that are unknown", predict_fields_of_no_name},
    {"predict with a program that fails", predict_with_a_failing_program},
    {"begin, test and wait", predict_in_the_worker},
    {"begin and wait again", predict_in_the_worker},
    {"begin what is not finite", begin_what_is_not_finite},
    {"wait for nothing", wait_for_nothing},
    {"begin, partials and finish", finish_with_partials},
    {"rollout", rollout},
    {"open a stochastic model", open_noisy},
    {"ensemble", ensemble},
    {"noise", draw_noise},
    {"open a recorder", open_recorder},
    {"record", record},
    {"record at the same time", record_at_the_same_time},
    {"close the recorder", close_recorder},
    {"record a call", record_a_call},
    {"last rejection", last_rejection},
    {"statistics", get_statistics},
    {"verify", verify},
    {"texts", texts},
    {"close", close_both},
    {"use a closed model", use_a_closed_model},
};

/* ------------------------------------------------------------------------------------------------------- the host */

static void on_signal(int number) {
    (void)number;
}

/* A host with a taste of its own in everything that is watched. */
static void be_particular(void) {
    struct sigaction action;
    sigset_t set;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    umask(027);
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "C.UTF-8"))
        setlocale(LC_ALL, "C");
#ifdef _OPENMP
    omp_set_num_threads(3);
    omp_set_schedule(omp_sched_dynamic, 7);
#pragma omp parallel
#endif
    {
        fesetround(FE_UPWARD);
        feclearexcept(FE_ALL_EXCEPT);
        feenableexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
    }
}

static void read_files(const char *folder) {
    static char names[16][1024];
    char path[8192], command[8192];
    FILE *list;
    snprintf(command, sizeof command, "cd '%s' && find . -type f | cut -c3-", folder);
    list = popen(command, "r");
    while (list && file_count < 16 && fgets(names[file_count], sizeof *names, list)) {
        surrogate_file *file = &files[file_count];
        FILE *stream;
        names[file_count][strcspn(names[file_count], "\n")] = '\0';
        snprintf(path, sizeof path, "%s/%s", folder, names[file_count]);
        stream = fopen(path, "rb");
        file->name = names[file_count++];
        file->data = malloc(1 << 25);
        file->size = fread((void *)file->data, 1, 1 << 25, stream);
        fclose(stream);
    }
    if (list)
        pclose(list);
}

/* Standard output and error go to files, that a word of the library would make longer. */
static int kept_error;
static void watch_words(void) {
    FILE *words = tmpfile();
    kept_error = dup(2);
    dup2(fileno(words), 1);
    dup2(fileno(words), 2);
}
static void pass_words_on(void) {
    char text[4096];
    ssize_t count;
    fflush(NULL);
    lseek(2, 0, SEEK_SET);
    while ((count = read(2, text, sizeof text)) > 0)
        if (write(kept_error, text, (size_t)count) != count)
            break;
}

static void compare(const char *call, char (*before)[WATCH_TEXT], char (*after)[WATCH_TEXT]) {
    int i;
    for (i = 0; i < WATCHES; ++i)
        if (strcmp(before[i], after[i]) != 0) {
            fprintf(stderr, "'%s' changed the %s:\n  %s\n  %s\n", call, watches[i].name, before[i], after[i]);
            ++failures;
        }
}

int main(int argc, char **argv) {
    static char before[WATCHES][WATCH_TEXT], after[WATCHES][WATCH_TEXT];
    size_t i;
    int result;
    start(argc, argv);
    bundles = argc > 2 ? "" : argv[1];
    CHECK(mkdtemp(scratch) != NULL);
    snprintf(recording, sizeof recording, "%s/run.h5", scratch);
    snprintf(good, sizeof good, "%s", argc > 2 ? argv[1] : bundle("example"));
    snprintf(failing, sizeof failing, "%s", argc > 2 ? argv[2] : bundle("fail_run"));
    read_files(good);
    for (i = 0; i < LARGEST; ++i)
        now[i] = single[i] = 1;
    watch_words();
    be_particular();
    for (i = 0; i < sizeof calls / sizeof *calls; ++i) {
        look_at_all(before); /* twice: looking may itself start the workers */
        look_at_all(before);
        result = calls[i].call();
        look_at_all(after);
        compare(calls[i].name, before, after);
        if (result != 0) {
            fprintf(stderr, "'%s' did not do what it says: %s\n", calls[i].name, surrogate_last_error());
            ++failures;
        }
    }
    for (i = 0; i < file_count; ++i)
        free((void *)files[i].data);
    remove(recording);
    rmdir(scratch);
    pass_words_on();
    return finish();
}
