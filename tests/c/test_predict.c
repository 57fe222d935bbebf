/* Predicting: the frame is right whatever the layout, and nothing else is written. */
#include "check.h"

enum { NY = 8, NX = 12 };

/* The bundle "flow": rho, v[2], mask (not predicted), p (frame); see make_bundles.py. */
typedef struct state {
    double rho[NY][NX], v[2][NY][NX], mask[NY][NX], p[NY][NX];
} state;

static void fill(state *s) {
    double *value = &s->rho[0][0];
    int i;
    for (i = 0; i < (int)(sizeof *s / sizeof *value); ++i)
        value[i] = 0.01 * ((i * 37) % 101) - 0.3;
}

/* What the program returns where channel `c` of the normalised input is read, shifted by (1, -2). */
static double shifted(const double field[NY][NX], double mean, double std, int y, int x) {
    float value = (float)((field[(y + NY - 1) % NY][(x + 2) % NX] - mean) * (1.0 / std));
    return value;
}

static void expect(state *next, const state *now) {
    int y, x;
    memset(next, 0, sizeof *next);
    for (y = 0; y < NY; ++y)
        for (x = 0; x < NX; ++x) {
            next->rho[y][x] = now->rho[y][x] + (float)(0.5f * shifted(now->rho, 0.0, 1.0, y, x));
            next->v[0][y][x] = now->v[0][y][x] + (float)(2.0f * (float)shifted(now->v[1], -0.5, 4.0, y, x) + 0.25f);
            next->v[1][y][x] = now->v[1][y][x] + (float)(-shifted(now->v[0], 0.5, 2.0, y, x));
            next->p[y][x] = 1.0 + 0.5 * (float)(3.0f * (float)shifted(now->p, 0.0, 1.0, y, x) + 1.0f);
        }
}

/* Largest difference over the predicted fields. */
static double difference(const state *a, const state *b) {
    const double *x = &a->rho[0][0], *y = &b->rho[0][0];
    double largest = 0;
    int i;
    for (i = 0; i < (int)(sizeof *a / sizeof *x); ++i) {
        double d = x[i] > y[i] ? x[i] - y[i] : y[i] - x[i];
        if (i / (NY * NX) != 3 && !(d <= largest))
            largest = d;
    }
    return largest;
}

static void describe(surrogate_field fields[4], state *s) {
    int64_t shape[3] = {2, NY, NX};
    surrogate_field_init(&fields[0], "rho", s->rho, SURROGATE_FLOAT64, 2, shape + 1);
    surrogate_field_init(&fields[1], "v", s->v, SURROGATE_FLOAT64, 3, shape);
    surrogate_field_init(&fields[2], "mask", s->mask, SURROGATE_FLOAT64, 2, shape + 1);
    surrogate_field_init(&fields[3], "p", s->p, SURROGATE_FLOAT64, 2, shape + 1);
    fields[1].component_axis = 0;
}

static void fields_in_any_order(surrogate_model *m) {
    state now, next, expected;
    surrogate_field in[4], out[4], swap;
    fill(&now);
    memset(&next, 0, sizeof next);
    expect(&expected, &now);
    describe(in, &now);
    describe(out, &next);
    out[2].data = NULL; /* mask is not predicted */
    CHECK_STATUS(surrogate_predict(m, out, in, 4, NULL), SURROGATE_OK, "");
    CHECK(difference(&next, &expected) < 1e-15);
    CHECK(next.mask[3][4] == 0.0);
    swap = in[0], in[0] = in[3], in[3] = swap;
    swap = out[1], out[1] = out[2], out[2] = swap;
    in[1].unit = "m s-1";
    memset(&next, 0, sizeof next);
    CHECK_STATUS(surrogate_predict(m, out, in, 4, NULL), SURROGATE_OK, "");
    CHECK(difference(&next, &expected) < 1e-15);
}

static void one_array_and_in_place(surrogate_model *m) {
    state now, next, expected;
    int64_t shape[3] = {5, NY, NX};
    double mask;
    fill(&now);
    expect(&expected, &now);
    memset(&next, 0, sizeof next);
    CHECK_STATUS(surrogate_predict_array(m, &next, &now, SURROGATE_FLOAT64, 3, shape, NULL), SURROGATE_OK, "");
    CHECK(difference(&next, &expected) < 1e-15);
    CHECK(next.mask[1][1] == 0.0);
    mask = now.mask[1][1];
    CHECK_STATUS(surrogate_predict_array(m, &now, &now, SURROGATE_FLOAT64, 3, shape, NULL), SURROGATE_OK, "");
    CHECK(memcmp(&now.rho, &next.rho, sizeof now.rho + sizeof now.v) == 0);
    CHECK(memcmp(&now.p, &next.p, sizeof now.p) == 0);
    CHECK(now.mask[1][1] == mask);
}

static void ghost_cells_are_neither_read_nor_written(surrogate_model *m) {
    static double padded[5][NY + 4][NX + 2], result[5][NY + 4][NX + 2];
    state now, expected, next;
    surrogate_field in[4], out[4];
    const int64_t shape[3] = {2, NY, NX}, ghost[3] = {0, 2, 1};
    const int first[4] = {0, 1, 3, 4};
    const char *const names[4] = {"rho", "v", "mask", "p"};
    int c, y, x, f;
    fill(&now);
    expect(&expected, &now);
    memset(padded, 0xff, sizeof padded); /* NaN */
    memset(result, 0xff, sizeof result);
    for (c = 0; c < 5; ++c)
        for (y = 0; y < NY; ++y)
            for (x = 0; x < NX; ++x)
                padded[c][y + 2][x + 1] = (&now.rho[0][0])[(c * NY + y) * NX + x];
    for (f = 0; f < 4; ++f) {
        int v = f == 1;
        surrogate_field_init_ghost(&in[f], names[f], padded[first[f]], SURROGATE_FLOAT64, 2 + v, shape + 1 - v,
                                   ghost + 1 - v);
        surrogate_field_init_ghost(&out[f], names[f], result[first[f]], SURROGATE_FLOAT64, 2 + v, shape + 1 - v,
                                   ghost + 1 - v);
        if (v)
            in[f].component_axis = out[f].component_axis = 0;
    }
    CHECK_STATUS(surrogate_predict(m, out, in, 4, NULL), SURROGATE_OK, "");
    memset(&next, 0, sizeof next);
    for (c = 0; c < 5; ++c)
        for (y = 0; y < NY + 4; ++y)
            for (x = 0; x < NX + 2; ++x) {
                int inside = c != 3 && y >= 2 && y < NY + 2 && x >= 1 && x < NX + 1;
                if (inside)
                    (&next.rho[0][0])[(c * NY + y - 2) * NX + x - 1] = result[c][y][x];
                else
                    CHECK(result[c][y][x] != result[c][y][x]);
            }
    CHECK(difference(&next, &expected) < 1e-15);
}

static void a_zero_increment_returns_a_field_that_compares_equal(void) {
    surrogate_model *m = open_bundle("zero");
    static double u[NY * NX], next[NY * NX];
    static float f[NY * NX];
    int64_t shape[3] = {1, NY, NX};
    int i;
    for (i = 0; i < NY * NX; ++i) {
        u[i] = 1.0 / (i + 3) - 1e-17 * i;
        f[i] = (float)u[i];
    }
    u[5] = f[5] = -0.0f;
    CHECK_STATUS(surrogate_predict_array(m, next, u, SURROGATE_FLOAT64, 3, shape, NULL), SURROGATE_OK, "");
    for (i = 0; i < NY * NX; ++i)
        CHECK(next[i] == u[i]);
    CHECK_STATUS(surrogate_predict_array(m, next, f, SURROGATE_FLOAT32, 3, shape, NULL), SURROGATE_OK, "");
    for (i = 0; i < NY * NX; ++i)
        CHECK(((float *)next)[i] == f[i]);
    surrogate_close(m);
}

static void dense_float32_is_read_in_place(void) {
    surrogate_model *m = open_bundle("identity");
    surrogate_statistics s;
    static float u[NY * NX], next[NY * NX];
    static double d[NY * NX], dnext[NY * NX];
    int64_t shape[3] = {1, NY, NX};
    s.struct_size = sizeof s;
    u[3] = 2;
    CHECK_STATUS(surrogate_predict_array(m, next, u, SURROGATE_FLOAT32, 3, shape, NULL), SURROGATE_OK, "");
    CHECK(next[3] == 4);
    CHECK_STATUS(surrogate_get_statistics(m, &s), SURROGATE_OK, "");
    CHECK(s.calls == 1 && s.ok == 1 && s.input_copies == 0 && s.output_passes == 1 && s.allocations == 0);
    d[3] = 2;
    CHECK_STATUS(surrogate_predict_array(m, dnext, d, SURROGATE_FLOAT64, 3, shape, NULL), SURROGATE_OK, "");
    CHECK(dnext[3] == 4);
    u[0] = (float)(0 * 1e300);
    memset(u, 0xff, 4);
    CHECK_STATUS(surrogate_predict_array(m, next, u, SURROGATE_FLOAT32, 3, shape, NULL), SURROGATE_REJECTED,
                 "rejected");
    CHECK_STATUS(surrogate_predict_array(m, NULL, u, SURROGATE_FLOAT32, 3, shape, NULL), SURROGATE_ERROR_ARGUMENT, "");
    CHECK_STATUS(surrogate_get_statistics(m, &s), SURROGATE_OK, "");
    CHECK(s.calls == 4 && s.ok == 2 && s.rejected == 1 && s.errors == 1);
    CHECK(s.input_copies == 1 && s.output_passes == 2 && s.allocations == 1);
    surrogate_close(m);
}

static void a_program_that_returns_its_input_may_run_in_place(void) {
    surrogate_model *m = open_bundle("view"); /* mask is not predicted: u and w get the increments mask and u */
    float s[3][4] = {{1, 2, 3, 4}, {10, 20, 30, 40}, {100, 200, 300, 400}};
    int64_t shape[3] = {3, 2, 2};
    CHECK_STATUS(surrogate_predict_array(m, s, s, SURROGATE_FLOAT32, 3, shape, NULL), SURROGATE_OK, "");
    CHECK(s[0][0] == 1 && s[1][0] == 11 && s[1][3] == 44 && s[2][0] == 110 && s[2][3] == 440);
    surrogate_close(m);
}

static void parameters_are_handed_on(void) {
    surrogate_model *m = open_bundle("parameter");
    surrogate_step_options step;
    double u[4] = {1, 2, 3, 4}, next[4], nu = 0.5;
    int64_t shape[3] = {1, 2, 2};
    CHECK_STATUS(surrogate_predict_array(m, next, u, SURROGATE_FLOAT64, 3, shape, NULL), SURROGATE_OK, "");
    CHECK(next[0] == 1.25 && next[3] == 4.25);
    surrogate_step_options_init(&step, sizeof step);
    step.parameters = &nu;
    step.parameter_count = 1;
    CHECK_STATUS(surrogate_predict_array(m, next, u, SURROGATE_FLOAT64, 3, shape, &step), SURROGATE_OK, "");
    CHECK(next[0] == 1.5 && next[3] == 4.5);
    nu = 1.5;
    next[0] = 7;
    CHECK_STATUS(surrogate_predict_array(m, next, u, SURROGATE_FLOAT64, 3, shape, &step), SURROGATE_ERROR_PARAMETER,
                 "parameter 'nu': 1.5 given, expected 0 to 1");
    CHECK(next[0] == 7);
    step.parameter_count = 2;
    CHECK_STATUS(surrogate_predict_array(m, next, u, SURROGATE_FLOAT64, 3, shape, &step), SURROGATE_ERROR_PARAMETER,
                 "parameter_count 2");
    step.struct_size = 3;
    CHECK_STATUS(surrogate_predict_array(m, next, u, SURROGATE_FLOAT64, 3, shape, &step), SURROGATE_ERROR_ARGUMENT,
                 "surrogate_step_options_init");
    surrogate_close(m);
}

static void facts_are_told(surrogate_model *m) {
    surrogate_info info;
    surrogate_field_info field;
    surrogate_parameter_info parameter;
    surrogate_model *with_parameter = open_bundle("parameter");
    memset(&info, 0, sizeof info);
    CHECK_STATUS(surrogate_get_info(m, &info), SURROGATE_ERROR_ARGUMENT, "struct_size");
    CHECK_STATUS(surrogate_get_info(m, NULL), SURROGATE_ERROR_ARGUMENT, "NULL");
    info.struct_size = sizeof info;
    CHECK_STATUS(surrogate_get_info(m, &info), SURROGATE_OK, "");
    CHECK(info.struct_size == sizeof info && strcmp(info.name, "flow") == 0 && strcmp(info.engine, "stub") == 0);
    CHECK(info.field_count == 4 && info.channel_count == 5 && info.spatial_rank == 2 && info.parameter_count == 0);
    CHECK(info.time_step == 0.5 && strcmp(info.time_unit, "s") == 0 && strcmp(info.spacing_unit, "m") == 0);
    CHECK(info.multiple_of[0] == 4 && info.multiple_of[2] == 0 && info.fixed_shape[0] == 0 && info.spacing[1] == 0.2);
    CHECK(info.boundary[0] == SURROGATE_BOUNDARY_PERIODIC && info.boundary[2] == 0);
    CHECK(info.receptive_field[0] == 2 && info.receptive_field[1] == 3 && info.stride[1] == 1 && !info.stochastic);
    field.struct_size = sizeof field;
    CHECK_STATUS(surrogate_get_field_info(m, 1, &field), SURROGATE_OK, "");
    CHECK(strcmp(field.name, "v") == 0 && field.components == 2 && field.predicted == 1);
    CHECK_STATUS(surrogate_get_field_info(m, 2, &field), SURROGATE_OK, "");
    CHECK(field.predicted == 0 && strcmp(field.staggering, "cell") == 0);
    CHECK_STATUS(surrogate_get_field_info(m, 4, &field), SURROGATE_ERROR_ARGUMENT, "index 4");
    CHECK_STATUS(surrogate_get_field_info(m, -1, &field), SURROGATE_ERROR_ARGUMENT, "index -1");
    parameter.struct_size = sizeof parameter;
    CHECK_STATUS(surrogate_get_parameter_info(m, 0, &parameter), SURROGATE_ERROR_ARGUMENT, "index 0");
    CHECK_STATUS(surrogate_get_parameter_info(with_parameter, 0, &parameter), SURROGATE_OK, "");
    CHECK(strcmp(parameter.name, "nu") == 0 && parameter.upper == 1.0 && parameter.preset == 0.25);
    surrogate_close(with_parameter);
}

int main(int argc, char **argv) {
    surrogate_model *m;
    start(argc, argv);
    m = open_bundle("flow");
    fields_in_any_order(m);
    one_array_and_in_place(m);
    ghost_cells_are_neither_read_nor_written(m);
    facts_are_told(m);
    surrogate_close(m);
    a_zero_increment_returns_a_field_that_compares_equal();
    dense_float32_is_read_in_place();
    a_program_that_returns_its_input_may_run_in_place();
    parameters_are_handed_on();
    surrogate_close(NULL);
    return finish();
}
