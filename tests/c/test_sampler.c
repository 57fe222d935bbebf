/* Generative models: steps, guidance, captions and members of a call, and what is said of those that the bundle lacks.
 */
#include "check.h"

#include <math.h>
#include <stddef.h>

enum { NY = 4, NX = 6, CELLS = NY * NX, MEMBERS = 6 };

/* Options as a program has them that was compiled before there were samplers. */
enum { OLDER = offsetof(surrogate_step_options, steps) };

static double now[CELLS], next[CELLS], all[MEMBERS * CELLS];
static const int64_t SHAPE[3] = {MEMBERS, NY, NX};

static surrogate_field in, out, every;

static void describe(void) {
    surrogate_field_init(&in, "u", now, SURROGATE_FLOAT64, 2, SHAPE + 1);
    surrogate_field_init(&out, "u", next, SURROGATE_FLOAT64, 2, SHAPE + 1);
    surrogate_field_init(&every, "u", all, SURROGATE_FLOAT64, 3, SHAPE);
    every.batch_axis = 0;
}

static surrogate_step_options step_of(int64_t steps) {
    surrogate_step_options step;
    surrogate_step_options_init(&step, sizeof step);
    CHECK(step.steps == 0 && isnan(step.guidance) && step.caption == NULL);
    step.step = 3;
    step.seed = 5;
    step.steps = steps;
    return step;
}

/* Every cell of `frame` is `value` + noise / 2 of the member. */
static int is(const double *frame, double value, const surrogate_step_options *step) {
    float noise[CELLS];
    int i, same = 1;
    surrogate_noise(noise, 0, 1, 2, SHAPE + 1, step);
    for (i = 0; i < CELLS; ++i)
        same = same && fabs(frame[i] - (now[i] + value + noise[i] / 2)) < 1e-2;
    return same;
}

/* What the bundle adds besides steps at its presets: nu / 8 and 10 guidance. */
static const double PRESETS = 0.0625 + 10;

static void facts_are_told(surrogate_model *m) {
    surrogate_info info;
    info.struct_size = sizeof info;
    surrogate_get_info(m, &info);
    CHECK(strcmp(info.sampler, "flow, heun") == 0);
    CHECK(info.step_count == 4 && info.steps[0] == 1 && info.steps[1] == 4 && info.steps[2] == 8);
    CHECK(info.preset_steps == 4 && info.largest_members == MEMBERS && info.largest_guidance == 3);
    CHECK(info.caption_length == 3 && info.parameter_count == 2 && strcmp(info.program, "stub_4") == 0);
}

static void steps_choose_the_program(surrogate_model *m) {
    surrogate_step_options step = step_of(0);
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_OK, "");
    CHECK(is(next, 4 + PRESETS, &step));
    step.steps = 1;
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_OK, "");
    CHECK(is(next, 1 + PRESETS, &step));
    step.steps = 4;
    CHECK_STATUS(surrogate_predict_array(m, next, now, SURROGATE_FLOAT64, 3, (int64_t[]){1, NY, NX}, &step),
                 SURROGATE_OK, "");
    CHECK(is(next, 4 + PRESETS, &step));
}

static void an_older_caller_gets_the_preset(surrogate_model *m) {
    surrogate_step_options step = step_of(0), guarded;
    memset(&guarded, 0x7f, sizeof guarded);
    surrogate_step_options_init(&guarded, OLDER);
    CHECK(guarded.struct_size == OLDER && guarded.steps == 0x7f7f7f7f7f7f7f7f);
    guarded.step = step.step;
    guarded.seed = step.seed;
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &guarded), SURROGATE_OK, "");
    CHECK(is(next, 4 + PRESETS, &step));
}

static void every_kind_of_call_takes_them(surrogate_model *m) {
    surrogate_step_options step = step_of(1), at;
    double increments = 1 + 0.0625 + 20 + 300, sums[64];
    const float *found = NULL;
    float xi[CELLS];
    float packed[CELLS];
    surrogate_info info;
    int64_t done = 0;
    int k;
    step.guidance = 2;
    step.caption = "Red";
    CHECK_STATUS(surrogate_predict_begin(m, &out, &in, 1, &step), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_wait(m), SURROGATE_OK, "");
    CHECK(is(next, increments, &step));
    step.members = MEMBERS;
    CHECK_STATUS(surrogate_predict_members(m, &every, &in, 1, &step), SURROGATE_OK, "");
    for (k = 0; k < MEMBERS; ++k) {
        at = step;
        at.member = k;
        CHECK(is(all + k * CELLS, increments, &at));
    }
    CHECK_STATUS(surrogate_predict_ensemble(m, &out, NULL, &in, 1, &step), SURROGATE_OK, "");
    for (k = 0; k < CELLS; ++k) {
        double mean = 0;
        int member;
        for (member = 0; member < MEMBERS; ++member)
            mean += all[member * CELLS + k] / MEMBERS;
        CHECK(fabs(next[k] - mean) < 1e-6 * fabs(mean));
    }
    CHECK_STATUS(surrogate_rollout(m, &done, &every, &in, 1, MEMBERS, &step), SURROGATE_OK, "");
    CHECK(done == MEMBERS && is(all, increments, &step));
    at = step;
    at.step += 1;
    surrogate_noise(xi, 0, 1, 2, SHAPE + 1, &at);
    CHECK(fabs(all[CELLS] - (all[0] + increments + xi[0] / 2)) < 1e-2);
    info.struct_size = sizeof info;
    surrogate_get_info(m, &info);
    CHECK_STATUS(surrogate_parts_begin(m, packed, &out, &in, 1, &step), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_parts_run(m, &found, packed, 1, SHAPE + 1, NULL, &step), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_parts_partials(m, found, sums, (size_t)info.partial_count, NULL), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_finish(m, sums, (size_t)info.partial_count), SURROGATE_OK, "");
    CHECK(is(next, increments, &step));
}

static void guidance_stands_in_one_place(surrogate_model *m) {
    const double both[2] = {1, 0.5};
    surrogate_step_options step = step_of(4);
    step.parameters = both;
    step.parameter_count = 2;
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_OK, "");
    CHECK(is(next, 4 + 0.125 + 5, &step));
    step.guidance = 1;
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_ERROR_PARAMETER, "give it once");
    step.parameter_count = 1; /* all but guidance */
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_OK, "");
    CHECK(is(next, 4 + 0.125 + 10, &step));
    step.guidance = NAN;
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_OK, "");
    CHECK(is(next, 4 + 0.125 + 10, &step));
    step.guidance = 3.5;
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_ERROR_PARAMETER,
                 "parameter 'guidance': 3.5 given, expected 0 to 3");
    step.guidance = -INFINITY;
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_ERROR_PARAMETER, "'guidance': -inf given");
    step.parameter_count = 0;
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_ERROR_PARAMETER, "or 1 without guidance");
}

static void captions_are_words(surrogate_model *m) {
    static const struct {
        const char *caption;
        double sum;
    } cases[] = {
        {NULL, 0},          {"", 0},         {" ,\n ", 0},
        {"a", 200},         {"RED a", 2300}, {"a,red,CIRCLE", 200 + 3000 + 40000},
        {"blue red", 3100}, {"a-red", 100},  {"\xc3\xa4 red\xff", 300},
    };
    surrogate_step_options step = step_of(1);
    size_t k;
    for (k = 0; k < sizeof cases / sizeof cases[0]; ++k) {
        step.caption = cases[k].caption;
        CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_OK, "");
        CHECK(is(next, 1 + PRESETS + cases[k].sum, &step));
    }
    step.caption = "a red red circle";
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_ERROR_PARAMETER,
                 "caption of 4 words given, expected at most 3");
}

static void what_the_bundle_lacks_is_named(surrogate_model *m, surrogate_model *unguided, surrogate_model *flat) {
    surrogate_step_options step = step_of(3);
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_ERROR_PARAMETER,
                 "step.steps 3 given, expected one of [1, 4, 8, 16]");
    CHECK_STATUS(surrogate_rollout(m, NULL, &every, &in, 1, MEMBERS, &step), SURROGATE_ERROR_PARAMETER,
                 "[1, 4, 8, 16]");
    CHECK_STATUS(surrogate_predict_begin(m, &out, &in, 1, &step), SURROGATE_ERROR_PARAMETER, "[1, 4, 8, 16]");
    step.steps = -1;
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_ERROR_PARAMETER, "step.steps -1 given");
    step = step_of(4);
    CHECK_STATUS(surrogate_predict(flat, &out, &in, 1, &step), SURROGATE_ERROR_PARAMETER,
                 "step.steps 4 given, expected 0: 'identity' has no sampler");
    step = step_of(0);
    step.members = MEMBERS + 1;
    CHECK_STATUS(surrogate_predict_members(m, &every, &in, 1, &step), SURROGATE_ERROR_PARAMETER,
                 "step.members 7 given, expected at most 6");
    CHECK_STATUS(surrogate_predict_ensemble(m, &out, NULL, &in, 1, &step), SURROGATE_ERROR_PARAMETER, "at most 6");
    step = step_of(0);
    step.guidance = 1;
    CHECK_STATUS(surrogate_predict(unguided, &out, &in, 1, &step), SURROGATE_ERROR_PARAMETER,
                 "step.guidance 1 given, but 'unguided' has no guidance");
    CHECK_STATUS(surrogate_predict(flat, &out, &in, 1, &step), SURROGATE_ERROR_PARAMETER, "has no guidance");
    step = step_of(0);
    step.caption = "a red circle";
    CHECK_STATUS(surrogate_predict(unguided, &out, &in, 1, &step), SURROGATE_ERROR_PARAMETER,
                 "'unguided' was not trained on captions");
    step = step_of(1);
    step.step = -1;
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_ERROR_PARAMETER, "step.step");
    step = step_of(16);
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_ERROR_ENGINE,
                 "no program of the bundle that makes 16 steps can run");
    step = step_of(1);
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_OK, "");
}

static void samples_that_are_not_finite_are_refused(surrogate_model *m) {
    surrogate_step_options step = step_of(8);
    double before[CELLS];
    int64_t done = -1;
    memcpy(before, next, sizeof before);
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_REJECTED, "not finite");
    CHECK_STATUS(surrogate_predict_begin(m, &out, &in, 1, &step), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_wait(m), SURROGATE_REJECTED, "not finite");
    CHECK_STATUS(surrogate_rollout(m, &done, &out, &in, 1, 1, &step), SURROGATE_REJECTED, "not finite");
    CHECK(done == 0);
    step.members = MEMBERS;
    memset(all, 0, sizeof all);
    CHECK_STATUS(surrogate_predict_members(m, &every, &in, 1, &step), SURROGATE_REJECTED, "not finite");
    CHECK(all[0] == 0 && all[CELLS] == 0);
    CHECK_STATUS(surrogate_predict_ensemble(m, &out, NULL, &in, 1, &step), SURROGATE_REJECTED, "not finite");
    CHECK(memcmp(before, next, sizeof before) == 0);
}

/* A file of a bundle, whole. */
static surrogate_file read_whole(const char *folder, const char *name) {
    char path[4200];
    surrogate_file file = {name, NULL, 0};
    char *data = malloc(1 << 16);
    FILE *stream;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    stream = fopen(path, "rb");
    file.size = fread(data, 1, 1 << 16, stream);
    file.data = data;
    fclose(stream);
    return file;
}

static void a_bundle_from_memory_has_all_programs(void) {
    surrogate_file files[2];
    surrogate_model *m = NULL;
    surrogate_step_options step = step_of(1);
    int k;
    files[0] = read_whole(bundle("sampler"), "manifest.json");
    files[1] = read_whole(bundle("sampler"), "programs/stub.json");
    CHECK_STATUS(surrogate_open_memory(&m, files, 2, NULL), SURROGATE_OK, "");
    for (k = 0; k < 2; ++k) {
        memset((void *)files[k].data, 0, files[k].size);
        free((void *)files[k].data);
    }
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_OK, "");
    CHECK(is(next, 1 + PRESETS, &step));
    step.steps = 16;
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_ERROR_ENGINE, "makes 16 steps");
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_ERROR_ENGINE, "makes 16 steps");
    surrogate_close(m);
}

static void preloaded_programs_need_no_files(void) {
    surrogate_open_options options;
    surrogate_model *m = NULL;
    surrogate_step_options step = step_of(8);
    char path[4200], away[4210];
    surrogate_open_options_init(&options, sizeof options);
    options.preload = 1;
    CHECK_STATUS(surrogate_open(&m, bundle("sampler"), &options), SURROGATE_OK, "");
    snprintf(path, sizeof path, "%s/programs/stub.json", bundle("sampler"));
    snprintf(away, sizeof away, "%s.away", path);
    CHECK(rename(path, away) == 0);
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_REJECTED, "not finite"); /* it ran at open */
    step.steps = 16;
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_ERROR_ENGINE, "makes 16 steps");
    surrogate_close(m);
    m = NULL;
    CHECK(rename(away, path) == 0);
    m = open_bundle("sampler");
    CHECK(rename(path, away) == 0);
    step.steps = 1;
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_ERROR_NOT_FOUND, "programs/stub.json");
    CHECK(rename(away, path) == 0);
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_OK, "");
    surrogate_close(m);
}

static void a_program_that_was_named_is_the_only_one(void) {
    surrogate_open_options options;
    surrogate_info info;
    surrogate_model *m = NULL;
    surrogate_step_options step = step_of(0);
    surrogate_open_options_init(&options, sizeof options);
    options.program = "stub_1";
    CHECK_STATUS(surrogate_open(&m, bundle("sampler"), &options), SURROGATE_OK, "");
    info.struct_size = sizeof info;
    surrogate_get_info(m, &info);
    CHECK(info.preset_steps == 1);
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_OK, "");
    CHECK(is(next, 1 + PRESETS, &step));
    step.steps = 4;
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_ERROR_PARAMETER,
                 "opened with options.program 'stub_1', which makes 1");
    surrogate_close(m);
}

static void without_a_program_steps_are_still_checked(void) {
    surrogate_open_options options;
    surrogate_model *m = NULL;
    surrogate_step_options step = step_of(8);
    float packed[CELLS];
    surrogate_open_options_init(&options, sizeof options);
    options.engine = "none";
    CHECK_STATUS(surrogate_open(&m, bundle("sampler"), &options), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict(m, &out, &in, 1, &step), SURROGATE_ERROR_UNSUPPORTED, "engine \"none\"");
    CHECK_STATUS(surrogate_parts_begin(m, packed, &out, &in, 1, &step), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_parts_abandon(m), SURROGATE_OK, "");
    step.steps = 5;
    CHECK_STATUS(surrogate_parts_begin(m, packed, &out, &in, 1, &step), SURROGATE_ERROR_PARAMETER, "[1, 4, 8, 16]");
    surrogate_close(m);
}

int main(int argc, char **argv) {
    surrogate_model *m, *unguided, *flat;
    int i;
    start(argc, argv);
    for (i = 0; i < CELLS; ++i)
        now[i] = 0.1 * i;
    describe();
    m = open_bundle("sampler");
    unguided = open_bundle("unguided");
    flat = open_bundle("identity");
    facts_are_told(m);
    steps_choose_the_program(m);
    an_older_caller_gets_the_preset(m);
    every_kind_of_call_takes_them(m);
    guidance_stands_in_one_place(m);
    captions_are_words(m);
    what_the_bundle_lacks_is_named(m, unguided, flat);
    samples_that_are_not_finite_are_refused(m);
    surrogate_close(flat);
    surrogate_close(unguided);
    surrogate_close(m);
    a_bundle_from_memory_has_all_programs();
    preloaded_programs_need_no_files();
    a_program_that_was_named_is_the_only_one();
    without_a_program_steps_are_still_checked();
    return finish();
}
