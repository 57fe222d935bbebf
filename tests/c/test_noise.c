/* Stochastic models: noise that belongs to step, member and global cell, and that the solver can draw itself. */
#include "check.h"

enum { NY = 6, NX = 8, CELLS = NY * NX };

static const int64_t SHAPE[3] = {2, NY, NX};

static surrogate_step_options step_of(int64_t number) {
    surrogate_step_options step;
    surrogate_step_options_init(&step, sizeof step);
    step.step = number;
    step.seed = 11;
    return step;
}

/* The bundle "noisy": u' = u + xi / 2 for both of its fields. */
static void predict(surrogate_model *m, float *next, const float *now, const surrogate_step_options *step) {
    CHECK_STATUS(surrogate_predict_array(m, next, now, SURROGATE_FLOAT32, 3, SHAPE, step), SURROGATE_OK, "");
}

static void a_step_is_needed(surrogate_model *m) {
    float now[2 * CELLS] = {0}, next[2 * CELLS];
    surrogate_step_options step = step_of(3);
    CHECK_STATUS(surrogate_predict_array(m, next, now, SURROGATE_FLOAT32, 3, SHAPE, NULL), SURROGATE_ERROR_PARAMETER,
                 "step.step is not given (-1), expected 0 or more");
    step.member = -1;
    CHECK_STATUS(surrogate_predict_array(m, next, now, SURROGATE_FLOAT32, 3, SHAPE, &step), SURROGATE_ERROR_ARGUMENT,
                 "step.member -1 given");
    step.member = 0;
    step.global_shape[0] = -4;
    CHECK_STATUS(surrogate_predict_array(m, next, now, SURROGATE_FLOAT32, 3, SHAPE, &step), SURROGATE_ERROR_ARGUMENT,
                 "step.global_shape [-4, 0] given");
}

static void the_solver_draws_what_the_model_draws(surrogate_model *m) {
    float now[2 * CELLS] = {0}, next[2 * CELLS], again[2 * CELLS], noise[2 * CELLS];
    surrogate_step_options step = step_of(3);
    int i, differ = 0, changed = 0;
    predict(m, next, now, &step);
    predict(m, again, now, &step);
    CHECK_STATUS(surrogate_noise(noise, 0, 2, 2, SHAPE + 1, &step), SURROGATE_OK, "");
    for (i = 0; i < 2 * CELLS; ++i)
        differ += next[i] != 0.5f * noise[i] || again[i] != next[i];
    CHECK(differ == 0);
    step.step = 4;
    predict(m, again, now, &step);
    for (i = 0; i < 2 * CELLS; ++i)
        changed += again[i] != next[i];
    CHECK(changed > CELLS);
}

static void a_block_draws_its_part_of_the_domain(surrogate_model *m) {
    enum { PY = 3, PX = 4 };
    const int64_t shape[3] = {2, PY, PX};
    float now[2 * CELLS] = {0}, next[2 * CELLS], part[2 * PY * PX];
    surrogate_step_options step = step_of(3);
    int c, y, x, differ = 0;
    predict(m, next, now, &step);
    step.origin[0] = 2, step.origin[1] = 6; /* over the edge in x */
    step.global_shape[0] = NY, step.global_shape[1] = NX;
    CHECK_STATUS(surrogate_predict_array(m, part, now, SURROGATE_FLOAT32, 3, shape, &step), SURROGATE_OK, "");
    for (c = 0; c < 2; ++c)
        for (y = 0; y < PY; ++y)
            for (x = 0; x < PX; ++x)
                differ += part[(c * PY + y) * PX + x] != next[(c * NY + y + 2) * NX + (x + 6) % NX];
    CHECK(differ == 0);
}

static void states_of_a_batch_draw_as_members(surrogate_model *m) {
    float now[3][2][CELLS] = {{{0}}}, next[3][2][CELLS], one[2 * CELLS];
    const int64_t shape[3] = {3, NY, NX};
    surrogate_step_options step = step_of(3);
    surrogate_field in[2], out[2];
    int k;
    for (k = 0; k < 2; ++k) {
        surrogate_field_init(&in[k], NULL, now[0][k], SURROGATE_FLOAT32, 3, shape);
        surrogate_field_init(&out[k], NULL, next[0][k], SURROGATE_FLOAT32, 3, shape);
        in[k].batch_axis = out[k].batch_axis = 0;
        in[k].strides[0] = out[k].strides[0] = sizeof now[0];
    }
    step.member = 5;
    CHECK_STATUS(surrogate_predict(m, out, in, 2, &step), SURROGATE_OK, "");
    step.member = 7;
    predict(m, one, now[0][0], &step);
    CHECK(memcmp(next[2], one, sizeof one) == 0 && memcmp(next[1], one, sizeof one) != 0);
}

static void bad_arguments_of_noise_are_refused(void) {
    surrogate_step_options step = step_of(0);
    const int64_t empty[1] = {0};
    float value[4];
    CHECK_STATUS(surrogate_noise(NULL, 0, 1, 2, SHAPE, &step), SURROGATE_ERROR_ARGUMENT, "values is NULL");
    CHECK_STATUS(surrogate_noise(value, 0, 1, 4, SHAPE, &step), SURROGATE_ERROR_ARGUMENT, "rank 4");
    CHECK_STATUS(surrogate_noise(value, 0, 1, 1, empty, &step), SURROGATE_ERROR_SHAPE, "shape [0] given");
    CHECK_STATUS(surrogate_noise(value, 0, 1, 1, SHAPE, NULL), SURROGATE_ERROR_PARAMETER, "step.step is not given");
}

int main(int argc, char **argv) {
    surrogate_model *m;
    start(argc, argv);
    m = open_bundle("noisy");
    a_step_is_needed(m);
    the_solver_draws_what_the_model_draws(m);
    a_block_draws_its_part_of_the_domain(m);
    states_of_a_batch_draw_as_members(m);
    bad_arguments_of_noise_are_refused();
    surrogate_close(m);
    return finish();
}
