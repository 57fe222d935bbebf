/* surrogate_rollout: repeated predictions, with the frames before a refusal kept. */
#include "check.h"

enum { N = 4, CELLS = N * N, STEPS = 5 };

static void describe(surrogate_field *f, const char *name, double *u, int64_t states) {
    const int64_t shape[3] = {states, N, N};
    surrogate_field_init(f, name, u, SURROGATE_FLOAT64, states ? 3 : 2, states ? shape : shape + 1);
    if (states)
        f->batch_axis = 0;
}

/* The bundle "grow": mask is only read; u' = 2 u + nu, refused above 100. */
static void frames_are_repeated_predictions(surrogate_model *m) {
    double mask[CELLS] = {0}, u[CELLS], frames[STEPS * CELLS], last[CELLS], step_by_step[CELLS];
    surrogate_field in[2], out[2], one[2];
    surrogate_statistics s;
    const double nu = 0.5;
    surrogate_step_options step;
    int64_t completed = -1;
    int i, k;
    s.struct_size = sizeof s;
    surrogate_step_options_init(&step, sizeof step);
    step.parameters = &nu;
    step.parameter_count = 1;
    for (i = 0; i < CELLS; ++i)
        u[i] = step_by_step[i] = 0.01 * i;
    describe(&in[0], "mask", mask, 0);
    describe(&in[1], "u", u, 0);
    describe(&out[0], "mask", NULL, STEPS);
    describe(&out[1], "u", frames, STEPS);
    CHECK_STATUS(surrogate_rollout(m, &completed, out, in, 2, STEPS, &step), SURROGATE_OK, "");
    CHECK(completed == STEPS);
    surrogate_get_statistics(m, &s);
    CHECK(s.calls == STEPS && s.ok == STEPS);
    describe(&one[0], "mask", mask, 0);
    describe(&one[1], "u", step_by_step, 0);
    for (k = 0; k < STEPS; ++k) {
        CHECK_STATUS(surrogate_predict(m, one, one, 2, &step), SURROGATE_OK, "");
        CHECK(memcmp(frames + k * CELLS, step_by_step, sizeof step_by_step) == 0);
    }
    describe(&one[1], "u", last, 0);
    CHECK_STATUS(surrogate_rollout(m, NULL, one, in, 2, STEPS, &step), SURROGATE_OK, "");
    CHECK(memcmp(last, step_by_step, sizeof last) == 0);
    CHECK_STATUS(surrogate_rollout(m, NULL, in, in, 2, STEPS, &step), SURROGATE_OK, ""); /* in place */
    CHECK(memcmp(u, step_by_step, sizeof u) == 0);
    CHECK_STATUS(surrogate_rollout(m, &completed, NULL, NULL, 0, 0, NULL), SURROGATE_OK, "");
    CHECK(completed == 0);
}

static void a_refusal_keeps_the_frames_before_it(surrogate_model *m) {
    double mask[CELLS] = {0}, u[CELLS], frames[STEPS * CELLS], *kept = frames + 3 * CELLS;
    surrogate_field in[2], out[2];
    int64_t completed = -1;
    int i;
    for (i = 0; i < CELLS; ++i)
        u[i] = 10;
    memset(frames, 0, sizeof frames);
    describe(&in[0], "mask", mask, 0);
    describe(&in[1], "u", u, 0);
    describe(&out[0], "mask", NULL, STEPS);
    describe(&out[1], "u", frames, STEPS);
    CHECK_STATUS(surrogate_rollout(m, &completed, out, in, 2, STEPS, NULL), SURROGATE_REJECTED,
                 "surrogate_rollout: rejected: predicted field 'u' is out of bounds");
    CHECK(completed == 3 && frames[2 * CELLS] == 80 && kept[0] == 0);
    CHECK_STATUS(surrogate_rollout(m, &completed, in, in, 2, STEPS, NULL), SURROGATE_REJECTED, "");
    CHECK(completed == 3 && u[5] == 80);
    CHECK_STATUS(surrogate_rollout(m, &completed, in, in, 2, STEPS, NULL), SURROGATE_REJECTED, "");
    CHECK(completed == 0 && u[5] == 80);
}

static void a_failure_keeps_the_frames_before_it(void) {
    surrogate_model *m = open_bundle("fail_run"); /* fails after the run of open */
    double u[CELLS] = {1};
    surrogate_field in;
    surrogate_statistics s;
    int64_t completed = -1;
    s.struct_size = sizeof s;
    describe(&in, "u", u, 0);
    CHECK_STATUS(surrogate_rollout(m, &completed, &in, &in, 1, STEPS, NULL), SURROGATE_ERROR_EXECUTION, "fail in run");
    CHECK(completed == 0 && u[0] == 1);
    CHECK_STATUS(surrogate_rollout(m, &completed, &in, &in, 1, -1, NULL), SURROGATE_ERROR_ARGUMENT, "steps -1 given");
    surrogate_get_statistics(m, &s);
    CHECK(s.calls == 2 && s.errors == 2);
    surrogate_close(m);
}

static void a_batch_rolls_out_side_by_side(surrogate_model *m) {
    double mask[2 * CELLS] = {0}, u[2 * CELLS], frames[3 * 2 * CELLS];
    surrogate_field in[2], out[2];
    int i;
    for (i = 0; i < 2 * CELLS; ++i)
        u[i] = i < CELLS ? 1 : 3;
    describe(&in[0], "mask", mask, 2);
    describe(&in[1], "u", u, 2);
    describe(&out[0], "mask", NULL, 6);
    describe(&out[1], "u", frames, 6);
    CHECK_STATUS(surrogate_rollout(m, NULL, out, in, 2, 3, NULL), SURROGATE_OK, "");
    CHECK(frames[0] == 2 && frames[CELLS] == 6 && frames[4 * CELLS] == 8 && frames[5 * CELLS] == 24);
    describe(&out[1], "u", frames, 5);
    CHECK_STATUS(surrogate_rollout(m, NULL, out, in, 2, 3, NULL), SURROGATE_ERROR_SHAPE,
                 "output batch of 5 states given, expected 6");
}

/* The bundle "history": u(k+1) = u(k) + u(k-1), w(k+1) = w(k) + w(k-2). */
static void a_history_shifts(void) {
    surrogate_model *m = open_bundle("history");
    double u[3][CELLS], w[3][CELLS], us[STEPS * CELLS], ws[STEPS * CELLS];
    const double expected_u[STEPS] = {5, 8, 13, 21, 34}, expected_w[STEPS] = {40, 60, 90, 130, 190};
    surrogate_field in[6], out[2];
    int i, k;
    for (k = 0; k < 3; ++k) {
        for (i = 0; i < CELLS; ++i)
            u[k][i] = 3 - k, w[k][i] = 30 - 10 * k;
        describe(&in[2 * k], "u", u[k], 0);
        describe(&in[2 * k + 1], "w", w[k], 0);
    }
    describe(&out[0], "u", us, STEPS);
    describe(&out[1], "w", ws, STEPS);
    CHECK_STATUS(surrogate_rollout(m, NULL, out, in, 2, STEPS, NULL), SURROGATE_OK, "");
    for (k = 0; k < STEPS; ++k)
        CHECK(us[k * CELLS] == expected_u[k] && ws[k * CELLS + 5] == expected_w[k]);
    CHECK_STATUS(surrogate_rollout(m, NULL, in, in, 2, STEPS, NULL), SURROGATE_OK, ""); /* the last, in place */
    CHECK(u[0][3] == expected_u[4] && w[0][3] == expected_w[4] && u[1][3] == 2 && w[2][3] == 10);
    surrogate_close(m);
}

/* The step counts on: frame k of a stochastic rollout is the prediction of step + k. */
static void every_frame_draws_its_own_noise(void) {
    surrogate_model *m = open_bundle("noisy"); /* u' = u + xi / 2 */
    double u[2 * CELLS] = {0}, frames[2][2 * CELLS];
    surrogate_field in[2], out[2];
    surrogate_step_options step;
    int k;
    surrogate_step_options_init(&step, sizeof step);
    step.step = 6;
    for (k = 0; k < 2; ++k) {
        describe(&in[k], NULL, u + k * CELLS, 0);
        describe(&out[k], NULL, frames[k], 2);
    }
    CHECK_STATUS(surrogate_rollout(m, NULL, out, in, 2, 2, NULL), SURROGATE_ERROR_PARAMETER, "step.step");
    CHECK_STATUS(surrogate_rollout(m, NULL, out, in, 2, 2, &step), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict(m, in, in, 2, &step), SURROGATE_OK, "");
    CHECK(memcmp(u, frames[0], CELLS * sizeof *u) == 0);
    step.step = 7;
    CHECK_STATUS(surrogate_predict(m, in, in, 2, &step), SURROGATE_OK, "");
    CHECK(memcmp(u + CELLS, frames[1] + CELLS, CELLS * sizeof *u) == 0);
    surrogate_close(m);
}

int main(int argc, char **argv) {
    surrogate_model *m;
    start(argc, argv);
    m = open_bundle("grow");
    frames_are_repeated_predictions(m);
    a_refusal_keeps_the_frames_before_it(m);
    a_batch_rolls_out_side_by_side(m);
    surrogate_close(m);
    a_failure_keeps_the_frames_before_it();
    a_history_shifts();
    every_frame_draws_its_own_noise();
    return finish();
}
