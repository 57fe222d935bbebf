/* A sweep over every public function: NULL for each pointer, counts and indices out of range, a model that never
 * opened, a closed one, a call after a failed open.  One row a function; a function of the header without a row fails
 * the test. */
#include "sweep_series.h"

#include <ctype.h>
#include <math.h>

/* --------------------------------------------------- functions that take a model: a good call, and its bad arguments
 */

static int call_predict(surrogate_model *m) {
    describe();
    return surrogate_predict(m, out, in, 1, NULL);
}
static void bad_predict(surrogate_model *m) {
    surrogate_step_options step;
    describe();
    ARGUMENT(surrogate_predict(m, NULL, in, 1, NULL), "output is NULL");
    ARGUMENT(surrogate_predict(m, out, NULL, 1, NULL), "input is NULL");
    CHECK_STATUS(surrogate_predict(m, out, in, 0, NULL), SURROGATE_ERROR_FIELD, "0 fields");
    CHECK_STATUS(surrogate_predict(m, out, in, SIZE_MAX, NULL), SURROGATE_ERROR_FIELD, "fields given, expected 1");
    memset(&step, 0, sizeof step);
    ARGUMENT(surrogate_predict(m, out, in, 1, &step), "surrogate_step_options_init");
    surrogate_step_options_init(&step, sizeof step);
    step.parameter_count = 5; /* without parameters nobody counts them */
    CHECK_STATUS(surrogate_predict(m, out, in, 1, &step), SURROGATE_OK, "");
    describe();
    in[0].data = NULL;
    ARGUMENT(surrogate_predict(m, out, in, 1, NULL), "data is NULL");
    memset(in, 0, sizeof in);
    CHECK(surrogate_predict(m, out, in, 1, NULL) < 0);
    memset(in, 0xff, sizeof in);
    in[0].name = in[0].unit = NULL;
    CHECK(surrogate_predict(m, out, in, 1, NULL) < 0);
    CHECK(untouched());
}

static int call_predict_array(surrogate_model *m) {
    describe();
    return surrogate_predict_array(m, next, now, SURROGATE_FLOAT64, 3, shape, NULL);
}
static void bad_predict_array(surrogate_model *m) {
    surrogate_step_options step;
    describe();
    memset(&step, 0, sizeof step);
    ARGUMENT(surrogate_predict_array(m, NULL, now, SURROGATE_FLOAT64, 3, shape, NULL), "output is NULL");
    ARGUMENT(surrogate_predict_array(m, next, NULL, SURROGATE_FLOAT64, 3, shape, NULL), "input is NULL");
    ARGUMENT(surrogate_predict_array(m, next, now, SURROGATE_FLOAT64, 3, NULL, NULL), "shape is NULL");
    ARGUMENT(surrogate_predict_array(m, next, now, SURROGATE_FLOAT64, 3, shape, &step), "struct_size");
    CHECK_STATUS(surrogate_predict_array(m, next, now, 0, 3, shape, NULL), SURROGATE_ERROR_DTYPE, "dtype 0");
    CHECK_STATUS(surrogate_predict_array(m, next, now, SURROGATE_FLOAT64, -3, shape, NULL), SURROGATE_ERROR_SHAPE,
                 "-3");
    CHECK(untouched());
}

/* A function that fills a struct: NULL, a struct_size of no version, and the smallest one. */
#define FILLS(name, type, call, index_call)                                                                            \
    static int call_##name(surrogate_model *m) {                                                                       \
        surrogate_##type s;                                                                                            \
        s.struct_size = sizeof s;                                                                                      \
        return call;                                                                                                   \
    }                                                                                                                  \
    static void bad_##name(surrogate_model *m) {                                                                       \
        surrogate_##type s, *const none = NULL;                                                                        \
        memset(&s, 0x5a, sizeof s);                                                                                    \
        s.struct_size = 0;                                                                                             \
        ARGUMENT(call, "struct_size");                                                                                 \
        s.struct_size = SIZE_MAX;                                                                                      \
        ARGUMENT(call, "struct_size");                                                                                 \
        CHECK(((unsigned char *)&s)[sizeof s - 1] == 0x5a); /* nothing was written */                                  \
        s.struct_size = 2 * sizeof(size_t);                                                                            \
        CHECK_STATUS(call, SURROGATE_OK, "");                                                                          \
        CHECK(((unsigned char *)&s)[sizeof s - 1] == 0x5a); /* nor more than the caller has */                         \
        (void)none;                                                                                                    \
        index_call;                                                                                                    \
    }

#define BAD_INDEX(function)                                                                                            \
    s.struct_size = sizeof s;                                                                                          \
    ARGUMENT(function(m, -1, &s), "index -1");                                                                         \
    ARGUMENT(function(m, 1, &s), "index 1");                                                                           \
    ARGUMENT(function(m, 2147483647, &s), "index 2147483647");                                                         \
    ARGUMENT(function(m, 0, none), "info is NULL")

FILLS(last_rejection, rejection, surrogate_last_rejection(m, &s),
      ARGUMENT(surrogate_last_rejection(m, none), "rejection is NULL"))
FILLS(get_info, info, surrogate_get_info(m, &s), ARGUMENT(surrogate_get_info(m, none), "info is NULL"))
FILLS(get_field_info, field_info, surrogate_get_field_info(m, 0, &s), BAD_INDEX(surrogate_get_field_info))
FILLS(get_parameter_info, parameter_info, surrogate_get_parameter_info(m, 0, &s),
      BAD_INDEX(surrogate_get_parameter_info))
FILLS(get_statistics, statistics, surrogate_get_statistics(m, &s),
      ARGUMENT(surrogate_get_statistics(m, none), "statistics is NULL"))
FILLS(verify, verification, surrogate_verify(m, &s), ARGUMENT(surrogate_verify(m, none), "verification is NULL"))

struct with_model {
    const char *name;
    int (*call)(surrogate_model *); /* a good call */
    void (*bad)(surrogate_model *); /* every bad argument but the model */
};

static const struct with_model with_model[] = {
    {"surrogate_predict", call_predict, bad_predict},
    {"surrogate_predict_array", call_predict_array, bad_predict_array},
    {"surrogate_last_rejection", call_last_rejection, bad_last_rejection},
    {"surrogate_get_info", call_get_info, bad_get_info},
    {"surrogate_get_field_info", call_get_field_info, bad_get_field_info},
    {"surrogate_get_parameter_info", call_get_parameter_info, bad_get_parameter_info},
    {"surrogate_get_statistics", call_get_statistics, bad_get_statistics},
    {"surrogate_verify", call_verify, bad_verify},
    {"surrogate_predict_begin", call_begin, bad_begin},
    {"surrogate_predict_test", call_test, bad_test},
    {"surrogate_predict_wait", call_wait, bad_wait},
    {"surrogate_predict_partials", call_partials, bad_partials},
    {"surrogate_predict_finish", call_finish, bad_finish},
    {"surrogate_parts_begin", call_parts_begin, bad_parts_begin},
    {"surrogate_parts_run", call_parts_run, bad_parts_run},
    {"surrogate_parts_partials", call_parts_partials, bad_parts_partials},
    {"surrogate_parts_abandon", call_parts_abandon, bad_parts_abandon},
    {"surrogate_rollout", call_rollout, bad_rollout},
    {"surrogate_predict_ensemble", call_ensemble, bad_ensemble},
    {"surrogate_predict_members", call_members, bad_members},
};

/* ------------------------------------------------------------------------------ functions that take no open model */

static void sweep_version(void) {
    CHECK(strcmp(surrogate_version(), SURROGATE_VERSION) == 0);
}
static void sweep_last_error(void) {
    CHECK(surrogate_last_error() != NULL);
}
static void sweep_set_last_error(void) {
    surrogate_set_last_error("surrogate_mpi_predict", "rank 3 is silent");
    CHECK(strcmp(surrogate_last_error(), "surrogate_mpi_predict: rank 3 is silent") == 0);
    surrogate_set_last_error("again", surrogate_last_error()); /* its own text */
    CHECK(strcmp(surrogate_last_error(), "again: surrogate_mpi_predict: rank 3 is silent") == 0);
    surrogate_set_last_error(NULL, NULL);
    CHECK(strcmp(surrogate_last_error(), ": ") == 0);
}
static void sweep_status_name(void) {
    int i;
    for (i = -200; i < 200; ++i)
        CHECK(surrogate_status_name(i)[0] != '\0');
    CHECK(strcmp(surrogate_status_name(-2147483647 - 1), "unknown") == 0);
    CHECK(strcmp(surrogate_status_name(-16), "SURROGATE_ERROR_TIMEOUT") == 0);
    CHECK(strcmp(surrogate_status_name(-17), "SURROGATE_ERROR_MPI") == 0);
}
static void sweep_reason_name(void) {
    int i;
    for (i = -200; i < 200; ++i)
        CHECK(surrogate_reason_name(i)[0] != '\0');
    CHECK(strcmp(surrogate_reason_name(2147483647), "unknown") == 0);
}
static void sweep_field_init(void) {
    surrogate_field field;
    surrogate_field_init(NULL, "u", now, SURROGATE_FLOAT64, 2, shape);
    surrogate_field_init(&field, NULL, NULL, 0, 2, NULL);
    CHECK(field.data == NULL && field.name == NULL && field.shape[0] == 0);
    surrogate_field_init(&field, "u", now, SURROGATE_FLOAT64, -5, shape);
    CHECK(field.rank == -5 && field.shape[0] == 0);
    surrogate_field_init(&field, "u", now, 77, 1, shape);
    CHECK(field.dtype == 77 && field.reserved[0] == NULL);
}
static void sweep_field_init_ghost(void) {
    const int64_t many[SURROGATE_MAX_RANK + 1] = {1, 2, 3, 4, 5, 6, 7}, huge[2] = {INT64_MAX, INT64_MIN};
    surrogate_field field;
    surrogate_field_init_ghost(NULL, "u", now, SURROGATE_FLOAT64, 2, shape, shape);
    surrogate_field_init_ghost(&field, "u", now, SURROGATE_FLOAT64, 2, NULL, NULL);
    CHECK(field.data == now && field.shape[1] == 0);
    surrogate_field_init_ghost(&field, "u", now, SURROGATE_FLOAT64, SURROGATE_MAX_RANK + 1, many, many);
    CHECK(field.rank == SURROGATE_MAX_RANK + 1 && field.shape[SURROGATE_MAX_RANK - 1] == 6);
    surrogate_field_init_ghost(&field, "u", now, SURROGATE_FLOAT64, 2, huge, huge); /* wraps, and predict refuses it */
    CHECK(field.shape[0] == INT64_MAX && field.shape[1] == INT64_MIN);
}
static void sweep_open_options_init(void) {
    surrogate_open_options options;
    memset(&options, 0x5a, sizeof options);
    surrogate_open_options_init(NULL, sizeof options);
    surrogate_open_options_init(&options, 0);
    CHECK(((unsigned char *)&options)[0] == 0x5a);
    surrogate_open_options_init(&options, sizeof(size_t));
    CHECK(options.struct_size == sizeof(size_t) && ((unsigned char *)&options)[sizeof(size_t)] == 0x5a);
}
static void sweep_step_options_init(void) {
    surrogate_step_options step;
    memset(&step, 0x5a, sizeof step);
    surrogate_step_options_init(NULL, sizeof step);
    surrogate_step_options_init(&step, 0);
    CHECK(((unsigned char *)&step)[0] == 0x5a);
    surrogate_step_options_init(&step, sizeof step);
    CHECK(step.step == -1 && isnan(step.time));
}
static void sweep_open(void) {
    surrogate_model *m = (surrogate_model *)1;
    ARGUMENT(surrogate_open(NULL, bundle("parameter"), NULL), "model is NULL");
    ARGUMENT(surrogate_open(&m, NULL, NULL), "path is NULL");
    CHECK(m == NULL);
    CHECK_STATUS(surrogate_open(&m, "", NULL), SURROGATE_ERROR_NOT_FOUND, "no bundle at ''");
}
static void sweep_open_memory(void) {
    surrogate_file files[2] = {{"manifest.json", "{}", 2}, {"a", NULL, 0}};
    surrogate_model *m = (surrogate_model *)1;
    ARGUMENT(surrogate_open_memory(NULL, files, 2, NULL), "model is NULL");
    ARGUMENT(surrogate_open_memory(&m, NULL, 2, NULL), "files is NULL");
    CHECK(m == NULL);
    ARGUMENT(surrogate_open_memory(&m, files, 0, NULL), "count is 0");
    CHECK_STATUS(surrogate_open_memory(&m, files, 2, NULL), SURROGATE_ERROR_CORRUPT, "missing");
    files[1].size = 1;
    ARGUMENT(surrogate_open_memory(&m, files, 2, NULL), "files[1]: name or data is NULL");
    files[0].name = NULL;
    ARGUMENT(surrogate_open_memory(&m, files, 1, NULL), "files[0]: name or data is NULL");
}
static void sweep_close(void) {
    surrogate_model *m = open_bundle("parameter"), *other;
    surrogate_close(NULL);
    surrogate_close(m);
    surrogate_close(m); /* closed already: nothing happens */
    CHECK(strstr(surrogate_last_error(), "was it closed already?") != NULL);
    other = open_bundle("parameter");
    surrogate_close(m); /* nor does it close another */
    CHECK_STATUS(call_predict(other), SURROGATE_OK, "");
    surrogate_close(other);
}

struct without_model {
    const char *name;
    void (*sweep)(void);
};

static const struct without_model without_model[] = {
    {"surrogate_version", sweep_version},
    {"surrogate_last_error", sweep_last_error},
    {"surrogate_set_last_error", sweep_set_last_error},
    {"surrogate_status_name", sweep_status_name},
    {"surrogate_reason_name", sweep_reason_name},
    {"surrogate_field_init", sweep_field_init},
    {"surrogate_field_init_ghost", sweep_field_init_ghost},
    {"surrogate_open_options_init", sweep_open_options_init},
    {"surrogate_step_options_init", sweep_step_options_init},
    {"surrogate_open", sweep_open},
    {"surrogate_open_memory", sweep_open_memory},
    {"surrogate_close", sweep_close},
    {"surrogate_noise", sweep_noise},
    {"surrogate_recorder_options_init", sweep_recorder_options_init},
    {"surrogate_recorder_open", sweep_recorder_open},
    {"surrogate_recorder_write", sweep_recorder_write},
    {"surrogate_recorder_lay_out", sweep_recorder_lay_out},
    {"surrogate_recorder_settle", sweep_recorder_settle},
    {"surrogate_recorder_pack", sweep_recorder_pack},
    {"surrogate_recorder_close", sweep_recorder_close},
};

enum {
    WITH_MODEL = sizeof with_model / sizeof *with_model,
    WITHOUT_MODEL = sizeof without_model / sizeof *without_model
};

/* ------------------------------------------------------------------------------------------------------ the sweep */

static int has_row(const char *name) {
    int i;
    for (i = 0; i < WITH_MODEL; ++i)
        if (strcmp(with_model[i].name, name) == 0)
            return 1;
    for (i = 0; i < WITHOUT_MODEL; ++i)
        if (strcmp(without_model[i].name, name) == 0)
            return 1;
    return 0;
}

/* Every function that the header declares has a row: SURROGATE_API ... name(...). */
static void every_function_is_swept(const char *header) {
    static const char mark[] = "\nSURROGATE_API ";
    char *text = (char *)calloc(1, 1 << 20), *at;
    FILE *file = fopen(header, "rb");
    int count = 0;
    CHECK(file != NULL);
    if (file) {
        CHECK(fread(text, 1, (1 << 20) - 1, file) < (1 << 20) - 1);
        fclose(file);
    }
    for (at = text; (at = strstr(at, mark)) != NULL; ++count) {
        char *end = strchr(at += sizeof mark - 1, '('), *begin = end;
        while (begin > at && (isalnum((unsigned char)begin[-1]) || begin[-1] == '_'))
            --begin;
        *end = '\0';
        if (!has_row(begin)) {
            fprintf(stderr, "%s has no row in tests/c/test_sweep.c\n", begin);
            ++failures;
        }
        at = end + 1;
    }
    CHECK(count == WITH_MODEL + WITHOUT_MODEL);
    free(text);
}

/* `model` is none that is open: every function says so, and nothing else happens. */
static void every_call_refuses(surrogate_model *model, const char *part) {
    int i;
    for (i = 0; i < WITH_MODEL; ++i) {
        if (!CHECK_STATUS(with_model[i].call(model), SURROGATE_ERROR_ARGUMENT, part))
            fprintf(stderr, "  in %s\n", with_model[i].name);
        CHECK(untouched());
    }
}

static void a_closed_handle_stays_closed(void) {
    surrogate_model *first = open_bundle("parameter"), *m;
    int i;
    surrogate_close(first);
    every_call_refuses(first, "model is not an open model; was it closed already?");
    for (i = 0; i < 100; ++i) { /* while others are opened and closed */
        m = open_bundle("parameter");
        CHECK(m != first);
        surrogate_close(m);
    }
    every_call_refuses(first, "model is not an open model; was it closed already?");
}

static void a_failed_open_leaves_no_model(void) {
    surrogate_model *m = (surrogate_model *)1;
    CHECK(surrogate_open(&m, bundle("nowhere"), NULL) < 0);
    every_call_refuses(m, "model is NULL; was surrogate_open called, and did it return SURROGATE_OK?");
}

static void bad_arguments_leave_the_model_usable(void) {
    surrogate_model *m = open_bundle("parameter");
    surrogate_verification verification;
    int i;
    for (i = 0; i < WITH_MODEL; ++i) {
        const int verify = with_model[i].call == call_verify; /* needs a bundle with an example, others noise */
        const int noisy = with_model[i].call == call_ensemble || with_model[i].call == call_members;
        surrogate_model *used = verify ? open_bundle("example") : noisy ? open_bundle("noisy") : m;
        with_model[i].bad(used);
        CHECK_STATUS(with_model[i].call(used), SURROGATE_OK, "");
        if (used != m)
            surrogate_close(used);
        CHECK_STATUS(call_predict(m), SURROGATE_OK, "");
        CHECK(next[0] == 1.25 && next[5] == 6.25);
    }
    verification.struct_size = sizeof verification;
    CHECK_STATUS(surrogate_verify(m, &verification), SURROGATE_ERROR_UNSUPPORTED, "no example");
    surrogate_close(m);
}

int main(int argc, char **argv) {
    int i;
    start(argc, argv);
    describe();
    every_function_is_swept(SURROGATE_HEADER);
    a_failed_open_leaves_no_model();
    for (i = 0; i < WITHOUT_MODEL; ++i)
        without_model[i].sweep();
    bad_arguments_leave_the_model_usable();
    a_closed_handle_stays_closed();
    return finish();
}
