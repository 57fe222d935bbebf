/* A prediction in parts: the order of its calls, what may be called meanwhile, what its functions refuse; and models
 * without a program. That blocks get the bits of the whole: tests/native/test_parts.cpp. */
#include "check.h"

#include <math.h>

enum { NY = 6, NX = 10, CELLS = NY * NX, FIELDS = 3 }; /* of the bundle "guarded" */

static const int64_t shape[3] = {1, NY, NX};
static double now[FIELDS * CELLS], next[(FIELDS + 1) * CELLS]; /* with room for `packed` in w's place */
static float packed[FIELDS * CELLS];
static double sums[256];
static surrogate_field in[FIELDS], out[FIELDS];
static surrogate_rejection own;

static void describe(void) {
    static const char *const names[FIELDS] = {"u", "v", "w"};
    int i;
    for (i = 0; i < FIELDS; ++i) {
        surrogate_field_init(&in[i], names[i], now + i * CELLS, SURROGATE_FLOAT64, 2, shape + 1);
        surrogate_field_init(&out[i], names[i], next + i * CELLS, SURROGATE_FLOAT64, 2, shape + 1);
    }
    for (i = 0; i < FIELDS * CELLS; ++i) {
        now[i] = 0.01 * i;
        next[i] = -77;
    }
    memset(&own, 0x5a, sizeof own);
    own.struct_size = sizeof own;
}
static int untouched(void) {
    int i, same = 1;
    for (i = 0; i < FIELDS * CELLS; ++i)
        same = same && next[i] == -77;
    return same;
}
static surrogate_model *open_with(const char *name, const char *engine, const char *guards) {
    surrogate_model *model = NULL;
    surrogate_open_options options;
    surrogate_open_options_init(&options, sizeof options);
    options.engine = engine;
    options.guards = guards;
    CHECK_STATUS(surrogate_open(&model, bundle(name), &options), SURROGATE_OK, "");
    return model;
}
static size_t count_of(surrogate_model *model) {
    surrogate_info info;
    info.struct_size = sizeof info;
    CHECK_STATUS(surrogate_get_info(model, &info), SURROGATE_OK, "");
    return (size_t)info.partial_count;
}
static surrogate_statistics statistics_of(surrogate_model *model) {
    surrogate_statistics s;
    s.struct_size = sizeof s;
    CHECK_STATUS(surrogate_get_statistics(model, &s), SURROGATE_OK, "");
    CHECK(s.calls == s.ok + s.rejected + s.errors);
    return s;
}
static int begin(surrogate_model *model) {
    describe();
    return surrogate_parts_begin(model, packed, out, in, FIELDS, NULL);
}
/* The program on what `packed` holds, then the sums. */
static int partials(surrogate_model *model, surrogate_model *runner) {
    const float *increments = NULL;
    CHECK_STATUS(surrogate_parts_run(runner, &increments, packed, 1, shape + 1, NULL, NULL), SURROGATE_OK, "");
    return surrogate_parts_partials(model, increments, sums, count_of(model), &own);
}

static void each_call_is_counted_once(void) {
    surrogate_model *m = open_with("guarded", NULL, "{\"bounds\": {\"u\": {\"upper\": 4}}}");
    surrogate_statistics s;
    const float *increments;
    CHECK_STATUS(surrogate_parts_run(m, &increments, packed, 1, shape + 1, NULL, NULL), SURROGATE_OK, "");
    CHECK(statistics_of(m).calls == 0);
    CHECK_STATUS(begin(m), SURROGATE_OK, "");
    CHECK_STATUS(partials(m, m), SURROGATE_OK, "");
    CHECK(own.reason == SURROGATE_REASON_NONE && untouched());
    CHECK_STATUS(surrogate_predict_finish(m, sums, count_of(m)), SURROGATE_OK, "");
    CHECK(!untouched());
    CHECK_STATUS(begin(m), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_parts_abandon(m), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_parts_abandon(m), SURROGATE_OK, ""); /* nothing is under way */
    CHECK_STATUS(surrogate_parts_begin(m, packed, out, in, 2, NULL), SURROGATE_ERROR_FIELD, "2 fields given");
    CHECK_STATUS(begin(m), SURROGATE_OK, "");
    now[7] = 5; /* after it was packed */
    CHECK_STATUS(surrogate_parts_abandon(m), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_parts_begin(m, packed, out, in, FIELDS, NULL), SURROGATE_OK, "");
    CHECK_STATUS(partials(m, m), SURROGATE_OK, "");
    CHECK(own.reason == SURROGATE_REASON_INPUT_OUT_OF_BOUNDS && own.field == 0 && own.value == 5 && own.upper == 4);
    CHECK(own.cell[0] == 0 && own.cell[1] == 7 && own.call == 5);
    CHECK_STATUS(surrogate_predict_finish(m, NULL, 0), SURROGATE_REJECTED, "'u' is out of bounds at cell [0, 7]");
    CHECK(untouched());
    s = statistics_of(m);
    CHECK(s.calls == 5 && s.ok == 1 && s.rejected == 1 && s.errors == 3);
    CHECK(s.input_copies == 4 && s.output_passes == 1);
    surrogate_close(m);
}

static void calls_stand_in_their_order(void) {
    surrogate_model *m = open_bundle("guarded");
    const size_t count = count_of(m);
    const float *increments;
    surrogate_statistics s;
    int done;
    CHECK_STATUS(surrogate_parts_partials(m, packed, sums, count, NULL), SURROGATE_ERROR_ARGUMENT,
                 "call surrogate_parts_begin first");
    CHECK_STATUS(begin(m), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_finish(m, sums, count), SURROGATE_ERROR_ARGUMENT, "surrogate_parts_partials");
    CHECK_STATUS(surrogate_predict_wait(m), SURROGATE_ERROR_ARGUMENT, "one in parts");
    CHECK_STATUS(surrogate_predict_test(m, &done), SURROGATE_ERROR_ARGUMENT, "one in parts");
    CHECK_STATUS(surrogate_predict_partials(m, sums, count), SURROGATE_ERROR_ARGUMENT, "one in parts");
    CHECK_STATUS(surrogate_predict(m, out, in, FIELDS, NULL), SURROGATE_ERROR_ARGUMENT, "surrogate_parts_abandon");
    CHECK_STATUS(surrogate_predict_begin(m, out, in, FIELDS, NULL), SURROGATE_ERROR_ARGUMENT, "in parts");
    CHECK_STATUS(surrogate_parts_begin(m, packed, out, in, FIELDS, NULL), SURROGATE_ERROR_ARGUMENT, "in parts");
    CHECK_STATUS(surrogate_rollout(m, NULL, out, in, FIELDS, 1, NULL), SURROGATE_ERROR_ARGUMENT, "in parts");
    s.struct_size = sizeof s;
    CHECK_STATUS(surrogate_get_statistics(m, &s), SURROGATE_ERROR_ARGUMENT, "in parts");
    CHECK_STATUS(surrogate_last_rejection(m, &own), SURROGATE_ERROR_ARGUMENT, "in parts");
    CHECK_STATUS(partials(m, m), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_wait(m), SURROGATE_ERROR_ARGUMENT, "one in parts");
    CHECK_STATUS(surrogate_predict_finish(m, sums, count - 1), SURROGATE_ERROR_ARGUMENT, "count");
    CHECK(untouched());
    CHECK_STATUS(surrogate_predict_finish(m, sums, count), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_finish(m, sums, count), SURROGATE_ERROR_ARGUMENT, "no prediction");

    describe(); /* one in two halves is not one in parts */
    CHECK_STATUS(surrogate_predict_begin(m, out, in, FIELDS, NULL), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_parts_run(m, &increments, packed, 1, shape + 1, NULL, NULL), SURROGATE_ERROR_ARGUMENT,
                 "surrogate_predict_wait first");
    CHECK_STATUS(surrogate_parts_partials(m, packed, sums, count, NULL), SURROGATE_ERROR_ARGUMENT, "in parts");
    CHECK_STATUS(surrogate_parts_abandon(m), SURROGATE_ERROR_ARGUMENT, "surrogate_predict_wait first");
    CHECK_STATUS(surrogate_predict_wait(m), SURROGATE_OK, "");
    s = statistics_of(m);
    CHECK(s.calls == 2 && s.ok == 2);
    CHECK_STATUS(begin(m), SURROGATE_OK, "");
    surrogate_close(m); /* writes nothing */
    CHECK(untouched());
}

static void totals_cannot_overrule_a_refused_input(void) {
    surrogate_model *m = open_bundle("guarded");
    const size_t count = count_of(m);
    double clean[256];
    CHECK_STATUS(begin(m), SURROGATE_OK, "");
    CHECK_STATUS(partials(m, m), SURROGATE_OK, "");
    memcpy(clean, sums, count * sizeof *clean);
    CHECK_STATUS(surrogate_parts_abandon(m), SURROGATE_OK, "");
    now[3] = NAN;
    CHECK_STATUS(surrogate_parts_begin(m, packed, out, in, FIELDS, NULL), SURROGATE_OK, "");
    CHECK_STATUS(partials(m, m), SURROGATE_OK, "");
    CHECK(own.reason == SURROGATE_REASON_INPUT_NOT_FINITE);
    CHECK_STATUS(surrogate_predict_finish(m, clean, count), SURROGATE_ERROR_ARGUMENT, "of which this rank refused");
    CHECK(untouched());
    CHECK_STATUS(begin(m), SURROGATE_OK, ""); /* of another rank's value */
    clean[1] = 1;
    CHECK_STATUS(partials(m, m), SURROGATE_OK, "");
    CHECK(own.reason == SURROGATE_REASON_NONE);
    CHECK_STATUS(surrogate_predict_finish(m, clean, count), SURROGATE_REJECTED, "another rank");
    CHECK(untouched() && statistics_of(m).errors == 2);
    surrogate_close(m);
}

static void begin_takes_one_state_of_any_size(void) {
    surrogate_model *m = open_bundle("guarded"), *fixed = open_bundle("fixed");
    const int64_t two[3] = {2, NY / 2, NX}, grid[2] = {8, 12};
    const float *increments;
    float tile[96] = {0};
    int f;
    describe();
    for (f = 0; f < FIELDS; ++f) {
        surrogate_field_init(&in[f], NULL, now + f * CELLS, SURROGATE_FLOAT64, 3, two);
        surrogate_field_init(&out[f], NULL, next + f * CELLS, SURROGATE_FLOAT64, 3, two);
        in[f].batch_axis = out[f].batch_axis = 0;
    }
    CHECK_STATUS(surrogate_parts_begin(m, packed, out, in, FIELDS, NULL), SURROGATE_ERROR_UNSUPPORTED, "2 states");
    for (f = 0; f < FIELDS; ++f)
        in[f].shape[0] = out[f].shape[0] = 1;
    CHECK_STATUS(surrogate_parts_begin(m, packed, out, in, FIELDS, NULL), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_parts_abandon(m), SURROGATE_OK, "");
    describe();
    for (f = 0; f < FIELDS; ++f)
        in[f].memory = out[f].memory = SURROGATE_CUDA;
    CHECK_STATUS(surrogate_parts_begin(m, packed, out, in, FIELDS, NULL), SURROGATE_ERROR_UNSUPPORTED, "host memory");
    describe();
    CHECK_STATUS(surrogate_parts_begin(m, (float *)(void *)&now[CELLS - 1], out, in, FIELDS, NULL),
                 SURROGATE_ERROR_OVERLAP, "packed shares memory with input field 'u'");
    CHECK_STATUS(surrogate_parts_begin(m, (float *)(void *)&next[CELLS], out, in, FIELDS, NULL),
                 SURROGATE_ERROR_OVERLAP, "packed shares memory with output field 'v'");
    CHECK_STATUS(surrogate_parts_begin(m, (float *)(void *)&next[2 * CELLS], out, in, FIELDS, NULL), SURROGATE_OK,
                 ""); /* of w, which is only read, the output entry is ignored */
    surrogate_close(m);

    CHECK_STATUS(surrogate_parts_begin(fixed, packed, out, in, 1, NULL), SURROGATE_OK, ""); /* 6 x 10 */
    CHECK_STATUS(surrogate_parts_run(fixed, &increments, packed, 1, shape + 1, NULL, NULL), SURROGATE_ERROR_SHAPE,
                 "grid [6, 10] given, expected exactly [8, 12]");
    CHECK_STATUS(surrogate_parts_run(fixed, &increments, tile, 1, grid, NULL, NULL), SURROGATE_OK, "");
    surrogate_close(fixed);
}

static void what_belongs_to_a_step_is_checked(void) {
    surrogate_model *noisy = open_bundle("noisy"), *m = open_bundle("parameter"), *failing = open_bundle("fail_run");
    const double nu = 0.75, wrong = 2;
    surrogate_step_options step;
    const float *increments;
    int64_t two[2] = {NY, NX / 2};
    describe();
    surrogate_step_options_init(&step, sizeof step);
    CHECK_STATUS(surrogate_parts_begin(noisy, packed, out, in, 2, &step), SURROGATE_ERROR_FIELD, "'v' is unknown");
    in[1].name = out[1].name = "w";
    CHECK_STATUS(surrogate_parts_begin(noisy, packed, out, in, 2, &step), SURROGATE_ERROR_PARAMETER, "step.step");
    CHECK_STATUS(surrogate_parts_run(noisy, &increments, packed, 1, shape + 1, NULL, &step), SURROGATE_ERROR_PARAMETER,
                 "step.step");
    step.parameters = &wrong;
    step.parameter_count = 1;
    CHECK_STATUS(surrogate_parts_run(m, &increments, packed, 2, two, NULL, &step), SURROGATE_ERROR_PARAMETER, "'nu'");
    step.parameters = &nu;
    memset(packed, 0, sizeof packed);
    CHECK_STATUS(surrogate_parts_run(m, &increments, packed, 2, two, NULL, &step), SURROGATE_OK, "");
    CHECK(increments[0] == 0.75f && increments[CELLS - 1] == 0.75f); /* of both tiles */
    CHECK_STATUS(surrogate_parts_begin(failing, packed, out, in, 1, NULL), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_parts_run(failing, &increments, packed, 1, shape + 1, NULL, NULL), SURROGATE_ERROR_EXECUTION,
                 "asks to fail in run");
    CHECK_STATUS(surrogate_parts_abandon(failing), SURROGATE_OK, ""); /* the failure did not end it */
    CHECK(statistics_of(failing).errors == 1 && untouched());
    surrogate_close(failing);
    surrogate_close(m);
    surrogate_close(noisy);
}

/* ------------------------------------------------------------------------------------------------- engine "none" */

#define NO_PROGRAM(call) CHECK_STATUS(call, SURROGATE_ERROR_UNSUPPORTED, "opened with engine \"none\"")

static void a_model_without_a_program_does_all_but_run(surrogate_model *none) {
    surrogate_model *runner = open_bundle("guarded");
    surrogate_step_options step;
    surrogate_verification verification;
    surrogate_info info;
    const float *increments;
    double expected[FIELDS * CELLS];
    const int64_t channels[3] = {FIELDS, NY, NX};
    info.struct_size = sizeof info;
    CHECK_STATUS(surrogate_get_info(none, &info), SURROGATE_OK, "");
    CHECK(strcmp(info.engine, "none") == 0 && !*info.program && !*info.precision && strcmp(info.device, "cpu") == 0);
    CHECK(strstr(info.choice, "\"none\" was asked for") && info.field_count == FIELDS);

    describe();
    CHECK_STATUS(surrogate_predict(runner, out, in, FIELDS, NULL), SURROGATE_OK, "");
    memcpy(expected, next, sizeof expected);
    CHECK_STATUS(begin(none), SURROGATE_OK, "");
    CHECK_STATUS(partials(none, runner), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_finish(none, sums, count_of(none)), SURROGATE_OK, "");
    CHECK(memcmp(expected, next, sizeof expected) == 0);

    describe();
    surrogate_step_options_init(&step, sizeof step);
    step.step = 0;
    step.members = 2;
    now[0] = NAN; /* no verdict either */
    NO_PROGRAM(surrogate_predict(none, out, in, FIELDS, NULL));
    NO_PROGRAM(surrogate_predict_array(none, next, now, SURROGATE_FLOAT64, 3, channels, NULL));
    NO_PROGRAM(surrogate_predict_begin(none, out, in, FIELDS, NULL));
    NO_PROGRAM(surrogate_rollout(none, NULL, out, in, FIELDS, 1, NULL));
    NO_PROGRAM(surrogate_parts_run(none, &increments, packed, 1, shape + 1, NULL, NULL));
    verification.struct_size = sizeof verification;
    NO_PROGRAM(surrogate_verify(none, &verification));
    CHECK(untouched() && statistics_of(none).ok == 1);
    surrogate_close(none);
    surrogate_close(runner);
}

static void a_program_is_not_even_looked_for(void) {
    surrogate_model *m = NULL;
    surrogate_open_options options;
    surrogate_open_options_init(&options, sizeof options);
    options.engine = "none";
    CHECK_STATUS(surrogate_open(&m, bundle("no_engine"), &options), SURROGATE_OK, ""); /* whose engine never was */
    surrogate_close(m);
    options.verify = SURROGATE_VERIFY_EXAMPLE;
    NO_PROGRAM(surrogate_open(&m, bundle("example"), &options));
    CHECK(m == NULL);
    options.device = "tpu";
    CHECK_STATUS(surrogate_open(&m, bundle("example"), &options), SURROGATE_ERROR_ARGUMENT, "options.device");
    m = open_with("noisy", "none", NULL);
    CHECK(m != NULL);
    {
        surrogate_field pair[2], frames[2];
        const int64_t members[3] = {2, NY, NX};
        surrogate_step_options step;
        surrogate_step_options_init(&step, sizeof step);
        step.step = 0;
        step.members = 2;
        surrogate_field_init(&pair[0], "u", now, SURROGATE_FLOAT64, 2, shape + 1);
        surrogate_field_init(&pair[1], "w", now + CELLS, SURROGATE_FLOAT64, 2, shape + 1);
        surrogate_field_init(&frames[0], "u", next, SURROGATE_FLOAT64, 3, members);
        surrogate_field_init(&frames[1], "w", next, SURROGATE_FLOAT64, 3, members);
        NO_PROGRAM(surrogate_predict_ensemble(m, pair, NULL, pair, 2, &step));
        NO_PROGRAM(surrogate_predict_members(m, frames, pair, 2, &step));
    }
    surrogate_close(m);
}

/* Only the manifest of a bundle is handed over. */
static surrogate_model *open_manifest(const char *name) {
    static char text[1 << 16];
    char path[4200];
    surrogate_file file = {"manifest.json", text, 0};
    surrogate_open_options options;
    surrogate_model *model = NULL;
    FILE *manifest;
    snprintf(path, sizeof path, "%s/manifest.json", bundle(name));
    manifest = fopen(path, "rb");
    CHECK(manifest != NULL);
    if (!manifest)
        return NULL;
    file.size = fread(text, 1, sizeof text, manifest);
    fclose(manifest);
    surrogate_open_options_init(&options, sizeof options);
    CHECK_STATUS(surrogate_open_memory(&model, &file, 1, &options), SURROGATE_ERROR_NOT_FOUND, "was not given");
    options.engine = "none";
    CHECK_STATUS(surrogate_open_memory(&model, &file, 1, &options), SURROGATE_OK, "");
    return model;
}

int main(int argc, char **argv) {
    start(argc, argv);
    each_call_is_counted_once();
    calls_stand_in_their_order();
    totals_cannot_overrule_a_refused_input();
    begin_takes_one_state_of_any_size();
    what_belongs_to_a_step_is_checked();
    a_model_without_a_program_does_all_but_run(open_with("guarded", "none", NULL));
    a_model_without_a_program_does_all_but_run(open_manifest("guarded"));
    surrogate_close(open_manifest("example")); /* whose example is not there either */
    a_program_is_not_even_looked_for();
    return finish();
}
