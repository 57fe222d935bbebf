/* The sweep over what is more than one prediction: two halves, rollouts, ensembles, noise; and over the recorder. */
#ifndef SWEEP_SERIES_H
#define SWEEP_SERIES_H

#include "sweep.h"

static int call_begin(surrogate_model *m) {
    int status;
    describe();
    status = surrogate_predict_begin(m, out, in, 1, NULL);
    return status == SURROGATE_OK ? surrogate_predict_wait(m) : status;
}
static void bad_begin(surrogate_model *m) {
    surrogate_step_options step;
    describe();
    memset(&step, 0, sizeof step);
    ARGUMENT(surrogate_predict_begin(m, NULL, in, 1, NULL), "output is NULL");
    ARGUMENT(surrogate_predict_begin(m, out, NULL, 1, NULL), "input is NULL");
    CHECK_STATUS(surrogate_predict_begin(m, out, in, SIZE_MAX, NULL), SURROGATE_ERROR_FIELD, "fields given");
    ARGUMENT(surrogate_predict_begin(m, out, in, 1, &step), "surrogate_step_options_init");
    CHECK(untouched());
}

static int call_test(surrogate_model *m) {
    int done = 0, status;
    describe();
    status = surrogate_predict_begin(m, out, in, 1, NULL);
    while (status == SURROGATE_OK && !done)
        status = surrogate_predict_test(m, &done);
    return status == SURROGATE_OK ? surrogate_predict_wait(m) : surrogate_predict_test(m, &done);
}
static void bad_test(surrogate_model *m) {
    int done = 77;
    ARGUMENT(surrogate_predict_test(m, NULL), "done is NULL");
    ARGUMENT(surrogate_predict_test(m, &done), "no prediction of this model is under way");
    CHECK(done == 77);
}

static int call_wait(surrogate_model *m) {
    describe();
    surrogate_predict_begin(m, out, in, 1, NULL);
    return surrogate_predict_wait(m);
}
static void bad_wait(surrogate_model *m) {
    ARGUMENT(surrogate_predict_wait(m), "no prediction of this model is under way");
}

static double sums[256];
static size_t partial_count(surrogate_model *m) {
    surrogate_info info;
    info.struct_size = sizeof info;
    return surrogate_get_info(m, &info) == SURROGATE_OK ? (size_t)info.partial_count : 1;
}
static int call_partials(surrogate_model *m) {
    int status;
    describe();
    surrogate_predict_begin(m, out, in, 1, NULL);
    status = surrogate_predict_partials(m, sums, partial_count(m));
    return status == SURROGATE_OK ? surrogate_predict_wait(m) : status;
}
static void bad_partials(surrogate_model *m) {
    ARGUMENT(surrogate_predict_partials(m, sums, partial_count(m)), "no prediction of this model is under way");
    CHECK_STATUS(surrogate_predict_begin(m, out, in, 1, NULL), SURROGATE_OK, "");
    ARGUMENT(surrogate_predict_partials(m, NULL, partial_count(m)), "partials is NULL");
    ARGUMENT(surrogate_predict_partials(m, sums, 0), "count 0");
    ARGUMENT(surrogate_predict_partials(m, sums, SIZE_MAX), "count");
    CHECK_STATUS(surrogate_predict_wait(m), SURROGATE_OK, "");
}

static int call_finish(surrogate_model *m) {
    describe();
    surrogate_predict_begin(m, out, in, 1, NULL);
    surrogate_predict_partials(m, sums, partial_count(m));
    return surrogate_predict_finish(m, sums, partial_count(m));
}
static void bad_finish(surrogate_model *m) {
    ARGUMENT(surrogate_predict_finish(m, sums, partial_count(m)), "no prediction of this model is under way");
    CHECK_STATUS(surrogate_predict_begin(m, out, in, 1, NULL), SURROGATE_OK, "");
    ARGUMENT(surrogate_predict_finish(m, sums, 0), "count 0");
    ARGUMENT(surrogate_predict_finish(m, sums, SIZE_MAX), "count");
    CHECK_STATUS(surrogate_predict_finish(m, NULL, 0), SURROGATE_OK, "");
}

static float packed[6];
static surrogate_rejection own;
static int call_parts_begin(surrogate_model *m) {
    const int status = (describe(), surrogate_parts_begin(m, packed, out, in, 1, NULL));
    return status == SURROGATE_OK ? surrogate_parts_abandon(m) : status;
}
static void bad_parts_begin(surrogate_model *m) {
    surrogate_step_options step;
    describe();
    memset(&step, 0, sizeof step);
    ARGUMENT(surrogate_parts_begin(m, NULL, out, in, 1, NULL), "packed is NULL, expected room for 6 floats");
    ARGUMENT(surrogate_parts_begin(m, packed, NULL, in, 1, NULL), "output is NULL");
    ARGUMENT(surrogate_parts_begin(m, packed, out, NULL, 1, NULL), "input is NULL");
    CHECK_STATUS(surrogate_parts_begin(m, packed, out, in, SIZE_MAX, NULL), SURROGATE_ERROR_FIELD, "fields given");
    ARGUMENT(surrogate_parts_begin(m, packed, out, in, 1, &step), "surrogate_step_options_init");
    CHECK(untouched());
}
static int call_parts_run(surrogate_model *m) {
    const float *increments;
    describe();
    return surrogate_parts_run(m, &increments, packed, 1, shape + 1, NULL, NULL);
}
static void bad_parts_run(surrogate_model *m) {
    const int64_t huge[2] = {INT64_MAX, 2}, none[2] = {2, 0}, far_away[2] = {0, INT64_MIN};
    const float *increments = NULL;
    surrogate_step_options step;
    memset(&step, 0, sizeof step);
    ARGUMENT(surrogate_parts_run(m, NULL, packed, 1, shape + 1, NULL, NULL), "increments is NULL");
    ARGUMENT(surrogate_parts_run(m, &increments, NULL, 1, shape + 1, NULL, NULL), "tiles is NULL");
    ARGUMENT(surrogate_parts_run(m, &increments, packed, 1, NULL, NULL, NULL), "shape is NULL");
    ARGUMENT(surrogate_parts_run(m, &increments, packed, 0, shape + 1, NULL, NULL), "batch 0");
    ARGUMENT(surrogate_parts_run(m, &increments, packed, INT64_MIN, shape + 1, NULL, NULL), "batch -9223372036");
    CHECK_STATUS(surrogate_parts_run(m, &increments, packed, INT64_MAX, shape + 1, NULL, NULL), SURROGATE_ERROR_SHAPE,
                 "that fit in memory");
    CHECK_STATUS(surrogate_parts_run(m, &increments, packed, 1, huge, NULL, NULL), SURROGATE_ERROR_SHAPE, "memory");
    CHECK_STATUS(surrogate_parts_run(m, &increments, packed, 1, none, NULL, NULL), SURROGATE_ERROR_SHAPE, "[2, 0]");
    ARGUMENT(surrogate_parts_run(m, &increments, packed, 1, shape + 1, far_away, NULL), "origin [0, -9223372036");
    ARGUMENT(surrogate_parts_run(m, &increments, packed, 1, shape + 1, NULL, &step), "surrogate_step_options_init");
    CHECK(increments == NULL);
}
static int call_parts_partials(surrogate_model *m) {
    int status;
    describe();
    surrogate_parts_begin(m, packed, out, in, 1, NULL);
    status = surrogate_parts_partials(m, packed, sums, partial_count(m), NULL);
    return status == SURROGATE_OK ? surrogate_parts_abandon(m) : status;
}
static void bad_parts_partials(surrogate_model *m) {
    own.struct_size = sizeof own;
    ARGUMENT(surrogate_parts_partials(m, packed, sums, partial_count(m), &own), "no prediction in parts");
    CHECK_STATUS(surrogate_parts_begin(m, packed, out, in, 1, NULL), SURROGATE_OK, "");
    ARGUMENT(surrogate_parts_partials(m, NULL, sums, partial_count(m), &own), "increments is NULL");
    ARGUMENT(surrogate_parts_partials(m, packed, NULL, partial_count(m), &own), "partials is NULL");
    ARGUMENT(surrogate_parts_partials(m, packed, sums, 0, &own), "count 0");
    ARGUMENT(surrogate_parts_partials(m, packed, sums, SIZE_MAX, &own), "count");
    own.struct_size = 0;
    sums[0] = -77;
    ARGUMENT(surrogate_parts_partials(m, packed, sums, partial_count(m), &own), "own->struct_size is 0");
    CHECK(sums[0] == -77);
    CHECK_STATUS(surrogate_parts_abandon(m), SURROGATE_OK, "");
}
static int call_parts_abandon(surrogate_model *m) {
    describe();
    surrogate_parts_begin(m, packed, out, in, 1, NULL);
    return surrogate_parts_abandon(m);
}
static void bad_parts_abandon(surrogate_model *m) {
    CHECK_STATUS(surrogate_parts_abandon(m), SURROGATE_OK, ""); /* with nothing under way */
}

static int call_rollout(surrogate_model *m) {
    describe();
    return surrogate_rollout(m, NULL, out, in, 1, 1, NULL);
}
static void bad_rollout(surrogate_model *m) {
    surrogate_step_options step;
    int64_t completed = 77;
    describe();
    memset(&step, 0, sizeof step);
    ARGUMENT(surrogate_rollout(m, &completed, NULL, in, 1, 1, NULL), "output is NULL");
    CHECK(completed == 0);
    ARGUMENT(surrogate_rollout(m, NULL, out, NULL, 1, 1, NULL), "input is NULL");
    CHECK_STATUS(surrogate_rollout(m, NULL, out, in, SIZE_MAX, 1, NULL), SURROGATE_ERROR_FIELD, "fields given");
    ARGUMENT(surrogate_rollout(m, NULL, out, in, 1, -1, NULL), "steps -1");
    ARGUMENT(surrogate_rollout(m, NULL, out, in, 1, INT64_MAX, NULL), "steps 9223372036854775807");
    ARGUMENT(surrogate_rollout(m, NULL, out, in, 1, 1, &step), "surrogate_step_options_init");
    CHECK(untouched());
}

/* Ensembles: of the bundle "noisy", two fields. */
static surrogate_field pair_in[2], pair_out[2], pair_wide[2], pair_all[2];
static double pair_now[12], pair_next[12], pair_spread[12], pair_frames[24];
static surrogate_step_options two_members(void) {
    static const char *const names[2] = {"u", "w"};
    const int64_t frames[3] = {2, 2, 3};
    surrogate_step_options step;
    int f;
    for (f = 0; f < 2; ++f) {
        surrogate_field_init(&pair_in[f], names[f], pair_now + 6 * f, SURROGATE_FLOAT64, 2, shape + 1);
        surrogate_field_init(&pair_out[f], names[f], pair_next + 6 * f, SURROGATE_FLOAT64, 2, shape + 1);
        surrogate_field_init(&pair_wide[f], names[f], pair_spread + 6 * f, SURROGATE_FLOAT64, 2, shape + 1);
        surrogate_field_init(&pair_all[f], names[f], pair_frames + 12 * f, SURROGATE_FLOAT64, 3, frames);
        pair_all[f].batch_axis = 0;
    }
    surrogate_step_options_init(&step, sizeof step);
    step.step = 0;
    step.members = 2;
    return step;
}
static int call_ensemble(surrogate_model *m) {
    const surrogate_step_options step = two_members();
    describe();
    return surrogate_predict_ensemble(m, pair_out, pair_wide, pair_in, 2, &step);
}
static void bad_ensemble(surrogate_model *m) {
    surrogate_step_options step = two_members();
    ARGUMENT(surrogate_predict_ensemble(m, NULL, NULL, pair_in, 2, &step), "mean and spread are NULL");
    ARGUMENT(surrogate_predict_ensemble(m, pair_out, NULL, NULL, 2, &step), "input is NULL");
    CHECK_STATUS(surrogate_predict_ensemble(m, pair_out, NULL, pair_in, SIZE_MAX, &step), SURROGATE_ERROR_FIELD,
                 "fields given, expected 2");
    CHECK_STATUS(surrogate_predict_ensemble(m, pair_out, NULL, pair_in, 2, NULL), SURROGATE_ERROR_PARAMETER,
                 "step.step");
    step.members = INT64_MIN;
    ARGUMENT(surrogate_predict_ensemble(m, pair_out, NULL, pair_in, 2, &step), "step.members");
    memset(&step, 0, sizeof step);
    ARGUMENT(surrogate_predict_ensemble(m, pair_out, NULL, pair_in, 2, &step), "surrogate_step_options_init");
}
static int call_members(surrogate_model *m) {
    const surrogate_step_options step = two_members();
    describe();
    return surrogate_predict_members(m, pair_all, pair_in, 2, &step);
}
static void bad_members(surrogate_model *m) {
    surrogate_step_options step = two_members();
    ARGUMENT(surrogate_predict_members(m, NULL, pair_in, 2, &step), "output is NULL");
    ARGUMENT(surrogate_predict_members(m, pair_all, NULL, 2, &step), "input is NULL");
    CHECK_STATUS(surrogate_predict_members(m, pair_all, pair_in, 0, &step), SURROGATE_ERROR_FIELD, "0 fields");
    CHECK_STATUS(surrogate_predict_members(m, pair_out, pair_in, 2, NULL), SURROGATE_ERROR_PARAMETER, "step.step");
    step.members = INT64_MAX;
    ARGUMENT(surrogate_predict_members(m, pair_all, pair_in, 2, &step), "step.members");
}

static void sweep_noise(void) {
    surrogate_step_options step;
    float values[6] = {-77};
    surrogate_step_options_init(&step, sizeof step);
    CHECK_STATUS(surrogate_noise(values, 0, 1, 2, shape + 1, NULL), SURROGATE_ERROR_PARAMETER, "step.step");
    step.step = 0;
    ARGUMENT(surrogate_noise(NULL, 0, 1, 2, shape + 1, &step), "values is NULL");
    ARGUMENT(surrogate_noise(values, 0, 1, 2, NULL, &step), "shape is NULL");
    ARGUMENT(surrogate_noise(values, -1, 1, 2, shape + 1, &step), "input -1");
    ARGUMENT(surrogate_noise(values, 0, INT64_MIN, 2, shape + 1, &step), "channels -9223372036854775808");
    ARGUMENT(surrogate_noise(values, 0, 1, 2147483647, shape + 1, &step), "rank 2147483647");
    CHECK_STATUS(surrogate_noise(values, 0, INT64_MAX, 2, shape + 1, &step), SURROGATE_ERROR_SHAPE, "shape");
    CHECK(values[0] == -77);
    CHECK_STATUS(surrogate_noise(values, 0, 1, 2, shape + 1, &step), SURROGATE_OK, "");
}
static void sweep_recorder_options_init(void) {
    surrogate_recorder_options options;
    memset(&options, 0x5a, sizeof options);
    surrogate_recorder_options_init(NULL, sizeof options);
    surrogate_recorder_options_init(&options, 0);
    CHECK(((unsigned char *)&options)[0] == 0x5a);
    surrogate_recorder_options_init(&options, sizeof options);
    CHECK(options.trajectory == -1 && options.precision == 0);
}
static void sweep_recorder_open(void) {
    surrogate_recorder *recorder = (surrogate_recorder *)1;
    surrogate_recorder_options options;
    memset(&options, 0, sizeof options);
    ARGUMENT(surrogate_recorder_open(NULL, "run.h5", NULL), "recorder is NULL");
    ARGUMENT(surrogate_recorder_open(&recorder, NULL, NULL), "path is NULL");
    CHECK(recorder == NULL);
    ARGUMENT(surrogate_recorder_open(&recorder, "", NULL), "path is empty");
    ARGUMENT(surrogate_recorder_open(&recorder, "run.h5", &options), "surrogate_recorder_options_init");
    surrogate_recorder_options_init(&options, sizeof options);
    options.parameter_count = SIZE_MAX;
    ARGUMENT(surrogate_recorder_open(&recorder, "run.h5", &options), "parameter_names or parameter_values is NULL");
    options.parameter_count = 0;
    options.chunk[2] = INT64_MIN;
    ARGUMENT(surrogate_recorder_open(&recorder, "run.h5", &options), "options.chunk[2]");
}
static void sweep_recorder_write(void) {
    describe();
    ARGUMENT(surrogate_recorder_write(NULL, 0.0, in, 1), "recorder is NULL");
    ARGUMENT(surrogate_recorder_write((surrogate_recorder *)now, 0.0, in, 1), "recorder is not an open recorder");
}
static void sweep_recorder_lay_out(void) {
    const char *path = NULL;
    uint64_t offset = 77;
    describe();
    ARGUMENT(surrogate_recorder_lay_out(NULL, &path, &offset, 0.0, in, 1), "recorder is NULL");
    ARGUMENT(surrogate_recorder_lay_out((surrogate_recorder *)now, &path, &offset, 0.0, in, 1),
             "recorder is not an open recorder");
    CHECK(path == NULL && offset == 77);
}
static void sweep_recorder_settle(void) {
    ARGUMENT(surrogate_recorder_settle(NULL, 1), "recorder is NULL");
    ARGUMENT(surrogate_recorder_settle((surrogate_recorder *)now, 0), "recorder is not an open recorder");
}
static void sweep_recorder_pack(void) {
    float block[6] = {-77};
    size_t size = sizeof block;
    describe();
    ARGUMENT(surrogate_recorder_pack(block, NULL, in, SURROGATE_FLOAT32), "size is NULL");
    ARGUMENT(surrogate_recorder_pack(block, &size, NULL, SURROGATE_FLOAT32), "field is NULL");
    CHECK_STATUS(surrogate_recorder_pack(block, &size, in, 0), SURROGATE_ERROR_DTYPE, "dtype 0");
    ARGUMENT(surrogate_recorder_pack(block, &size, in, SURROGATE_FLOAT64), "a block of 24 bytes given, expected 48");
    in[0].data = NULL;
    ARGUMENT(surrogate_recorder_pack(NULL, &size, in, SURROGATE_FLOAT32), "data is NULL");
    CHECK(size == sizeof block && block[0] == -77);
    describe();
    CHECK_STATUS(surrogate_recorder_pack(NULL, &size, in, SURROGATE_FLOAT64), SURROGATE_OK, "");
    CHECK(size == 48 && block[0] == -77);
    size = sizeof block;
    CHECK_STATUS(surrogate_recorder_pack(block, &size, in, SURROGATE_FLOAT32), SURROGATE_OK, "");
    CHECK(block[0] == (float)now[0] && block[5] == (float)now[5]);
}
static void sweep_recorder_close(void) {
    CHECK_STATUS(surrogate_recorder_close(NULL), SURROGATE_OK, "");
    ARGUMENT(surrogate_recorder_close((surrogate_recorder *)now), "recorder is not an open recorder");
}

#endif
