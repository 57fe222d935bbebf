/* Ensembles: members are single predictions, whatever batch they run in; mean and spread are theirs. */
#include "check.h"

#include <math.h>

enum { NY = 5, NX = 7, CELLS = NY * NX, MEMBERS = 6 };

/* The bundle "ensemble": mask is only read; u' = u + 1 + 2 (u + xi / 2). */
static void describe(surrogate_field f[2], double *mask, double *u, int64_t states) {
    const int64_t shape[3] = {states, NY, NX};
    const int rank = states ? 3 : 2;
    surrogate_field_init(&f[0], "mask", mask, SURROGATE_FLOAT64, rank, states ? shape : shape + 1);
    surrogate_field_init(&f[1], "u", u, SURROGATE_FLOAT64, rank, states ? shape : shape + 1);
    if (states)
        f[0].batch_axis = f[1].batch_axis = 0;
}

static surrogate_step_options step_of(int64_t members) {
    surrogate_step_options step;
    surrogate_step_options_init(&step, sizeof step);
    CHECK(step.members == 1);
    step.step = 2;
    step.members = members;
    return step;
}

static double mask[CELLS], now[CELLS], next[CELLS], all[MEMBERS * CELLS], mean[CELLS], spread[CELLS];

static void members_are_single_predictions(surrogate_model *m) {
    surrogate_field in[2], out[2], every[2];
    surrogate_step_options step = step_of(MEMBERS);
    int k;
    describe(in, mask, now, 0);
    describe(out, mask, next, 0);
    describe(every, NULL, all, MEMBERS);
    step.member = 3;
    CHECK_STATUS(surrogate_predict_members(m, every, in, 2, &step), SURROGATE_OK, "");
    for (k = 0; k < MEMBERS; ++k) {
        step.member = 3 + k;
        CHECK_STATUS(surrogate_predict(m, out, in, 2, &step), SURROGATE_OK, "");
        CHECK(memcmp(next, all + k * CELLS, sizeof next) == 0);
    }
}

static void mean_and_spread_are_those_of_the_members(surrogate_model *m) {
    surrogate_field in[2], every[2], centre[2], width[2];
    surrogate_step_options step = step_of(MEMBERS);
    surrogate_statistics before, after;
    double only[CELLS];
    int i, k;
    before.struct_size = after.struct_size = sizeof before;
    describe(in, mask, now, 0);
    describe(every, NULL, all, MEMBERS);
    describe(centre, NULL, mean, 0);
    describe(width, NULL, spread, 0);
    CHECK_STATUS(surrogate_predict_members(m, every, in, 2, &step), SURROGATE_OK, "");
    surrogate_get_statistics(m, &before);
    CHECK_STATUS(surrogate_predict_ensemble(m, centre, width, in, 2, &step), SURROGATE_OK, "");
    surrogate_get_statistics(m, &after);
    CHECK(after.calls == before.calls + 1 && after.ok == before.ok + 1);
    for (i = 0; i < CELLS; ++i) {
        double sum = 0, squares = 0;
        for (k = 0; k < MEMBERS; ++k)
            sum += all[k * CELLS + i];
        for (k = 0; k < MEMBERS; ++k)
            squares += pow(all[k * CELLS + i] - sum / MEMBERS, 2);
        CHECK(fabs(mean[i] - sum / MEMBERS) < 1e-6 && fabs(spread[i] - sqrt(squares / (MEMBERS - 1))) < 1e-6);
        CHECK(spread[i] > 0.05);
    }
    describe(width, NULL, only, 0);
    CHECK_STATUS(surrogate_predict_ensemble(m, NULL, width, in, 2, &step), SURROGATE_OK, "");
    CHECK(memcmp(only, spread, sizeof only) == 0);
    memcpy(only, now, sizeof only); /* in place */
    describe(in, mask, only, 0);
    CHECK_STATUS(surrogate_predict_ensemble(m, in, NULL, in, 2, &step), SURROGATE_OK, "");
    CHECK(memcmp(only, mean, sizeof only) == 0);
}

static void a_batch_has_members_of_its_own(surrogate_model *m) {
    double masks[2 * CELLS] = {0}, states[2 * CELLS], means[2 * CELLS], frames[2 * MEMBERS * CELLS];
    surrogate_field in[2], out[2], every[2], one[2];
    surrogate_step_options step = step_of(MEMBERS);
    memcpy(states, now, sizeof now);
    memcpy(states + CELLS, now, sizeof now);
    describe(in, masks, states, 2);
    describe(out, NULL, means, 2);
    describe(every, NULL, frames, 2 * MEMBERS);
    CHECK_STATUS(surrogate_predict_ensemble(m, out, NULL, in, 2, &step), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_members(m, every, in, 2, &step), SURROGATE_OK, "");
    step.member = MEMBERS;
    describe(in, mask, now, 0);
    describe(one, NULL, mean, 0);
    CHECK_STATUS(surrogate_predict_ensemble(m, one, NULL, in, 2, &step), SURROGATE_OK, "");
    CHECK(memcmp(means + CELLS, mean, sizeof mean) == 0 && memcmp(means, mean, sizeof mean) != 0);
    describe(every, NULL, all, MEMBERS);
    CHECK_STATUS(surrogate_predict_members(m, every, in, 2, &step), SURROGATE_OK, "");
    CHECK(memcmp(frames + MEMBERS * CELLS, all, sizeof all) == 0);
}

/* 1536 x 1536 cells of two channels: three runs of the program for eight members. */
static void large_members_run_in_turns(surrogate_model *m) {
    enum { N = 1536, COUNT = 8 };
    const int64_t shape[3] = {COUNT, N, N};
    const size_t cells = (size_t)N * N;
    float *u = calloc(cells, sizeof *u), *frames = calloc(COUNT * cells, sizeof *u), *one = calloc(cells, sizeof *u);
    surrogate_field in[2], out[2], every[2];
    surrogate_step_options step = step_of(COUNT);
    int k;
    for (k = 0; k < 2; ++k) {
        surrogate_field_init(&in[k], NULL, u, SURROGATE_FLOAT32, 2, shape + 1);
        surrogate_field_init(&out[k], NULL, one, SURROGATE_FLOAT32, 2, shape + 1);
        surrogate_field_init(&every[k], NULL, frames, SURROGATE_FLOAT32, 3, shape);
        every[k].batch_axis = 0;
    }
    CHECK_STATUS(surrogate_predict_members(m, every, in, 2, &step), SURROGATE_OK, "");
    step.member = COUNT - 1;
    CHECK_STATUS(surrogate_predict(m, out, in, 2, &step), SURROGATE_OK, "");
    CHECK(memcmp(one, frames + (COUNT - 1) * cells, cells * sizeof *u) == 0);
    free(u);
    free(frames);
    free(one);
}

static void one_refused_member_refuses_all(surrogate_model *m) {
    surrogate_field in[2], out[2];
    surrogate_step_options step = step_of(MEMBERS);
    surrogate_rejection rejection;
    double kept = now[4];
    rejection.struct_size = sizeof rejection;
    describe(in, mask, now, 0);
    describe(out, NULL, mean, 0);
    now[4] = 4.0 / 3; /* u' = 5 + xi: half of the members are above 5 */
    mean[0] = -7;
    CHECK_STATUS(surrogate_predict_ensemble(m, out, NULL, in, 2, &step), SURROGATE_REJECTED,
                 "predicted field 'u' is out of bounds at cell [0, 4] of state");
    now[4] = kept;
    CHECK(mean[0] == -7);
    surrogate_last_rejection(m, &rejection);
    CHECK(rejection.reason == SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS && rejection.cell[1] == 4);
    CHECK(rejection.batch >= 0 && rejection.batch < MEMBERS);
}

/* The bundle "spread": deviations are 1, the trained rms of increments 0.25; more than 5 times it is refused. */
static void a_spread_beyond_its_guard_is_refused(void) {
    surrogate_model *m = open_bundle("spread"), *strict = NULL;
    surrogate_open_options options;
    surrogate_field in[2], out[2];
    surrogate_step_options step = step_of(200);
    surrogate_rejection rejection;
    rejection.struct_size = sizeof rejection;
    surrogate_open_options_init(&options, sizeof options);
    options.guards = "{\"spread\": {\"upper\": 3.0}}";
    CHECK_STATUS(surrogate_open(&strict, bundle("spread"), &options), SURROGATE_OK, "");
    describe(in, mask, now, 0);
    describe(out, NULL, mean, 0);
    CHECK_STATUS(surrogate_predict_ensemble(m, out, NULL, in, 2, &step), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_ensemble(strict, out, NULL, in, 2, &step), SURROGATE_REJECTED,
                 "the members differ in field 'u' by ");
    surrogate_last_rejection(strict, &rejection);
    CHECK(rejection.reason == SURROGATE_REASON_SPREAD_TOO_LARGE && rejection.field == 1);
    CHECK(fabs(rejection.value - 4.0) < 0.2 && rejection.upper == 3.0);
    surrogate_close(m);
    surrogate_close(strict);
}

static void bad_ensembles_are_refused(surrogate_model *m) {
    surrogate_model *certain = open_bundle("identity");
    surrogate_field in[2], out[2], every[2];
    surrogate_step_options step = step_of(MEMBERS);
    describe(in, mask, now, 0);
    describe(out, NULL, mean, 0);
    describe(every, NULL, all, MEMBERS);
    CHECK_STATUS(surrogate_predict_ensemble(certain, out, NULL, in, 1, &step), SURROGATE_ERROR_UNSUPPORTED,
                 "the model has no noise inputs");
    CHECK_STATUS(surrogate_predict_members(certain, every, in, 1, &step), SURROGATE_ERROR_UNSUPPORTED, "no noise");
    CHECK_STATUS(surrogate_predict_ensemble(m, NULL, NULL, in, 2, &step), SURROGATE_ERROR_ARGUMENT, "are NULL");
    CHECK_STATUS(surrogate_predict_ensemble(m, out, out, in, 2, &step), SURROGATE_ERROR_OVERLAP,
                 "mean field 'u' and spread field 'u' share memory");
    CHECK_STATUS(surrogate_predict_members(m, out, in, 2, &step), SURROGATE_ERROR_SHAPE,
                 "output batch of 1 states given, expected 6: 6 for each state of the input");
    step.members = 1;
    CHECK_STATUS(surrogate_predict_ensemble(m, NULL, out, in, 2, &step), SURROGATE_ERROR_ARGUMENT,
                 "step.members 1 given, expected 2 or more: a spread needs two");
    step.members = 0;
    CHECK_STATUS(surrogate_predict_ensemble(m, out, NULL, in, 2, &step), SURROGATE_ERROR_ARGUMENT, "members 0 given");
    step.members = 2;
    step.step = -1;
    CHECK_STATUS(surrogate_predict_ensemble(m, out, NULL, in, 2, &step), SURROGATE_ERROR_PARAMETER, "step.step");
    surrogate_close(certain);
}

int main(int argc, char **argv) {
    surrogate_model *m;
    int i;
    start(argc, argv);
    for (i = 0; i < CELLS; ++i)
        now[i] = -2.0 + 0.01 * i;
    m = open_bundle("ensemble");
    members_are_single_predictions(m);
    mean_and_spread_are_those_of_the_members(m);
    a_batch_has_members_of_its_own(m);
    one_refused_member_refuses_all(m);
    bad_ensembles_are_refused(m);
    surrogate_close(m);
    m = open_bundle("spread"); /* no bounds: a zero state, and whatever it becomes */
    large_members_run_in_turns(m);
    surrogate_close(m);
    a_spread_beyond_its_guard_is_refused();
    return finish();
}
