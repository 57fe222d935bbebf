/* Bad input: each fault has its status and a text that names it; the output stays untouched; the model goes on. */
#include "check.h"

#include <math.h>

enum { NY = 8, NX = 12, N = NY * NX };

static double u[5 * N], next[5 * N];
static surrogate_field in[4], out[4];

/* Good descriptions of the bundle "flow". */
static void describe(void) {
    const char *const names[4] = {"rho", "v", "mask", "p"};
    const int first[4] = {0, 1, 3, 4};
    const int64_t shape[3] = {2, NY, NX};
    int f;
    for (f = 0; f < 4; ++f) {
        int v = f == 1;
        surrogate_field_init(&in[f], names[f], u + first[f] * N, SURROGATE_FLOAT64, 2 + v, shape + 1 - v);
        surrogate_field_init(&out[f], names[f], next + first[f] * N, SURROGATE_FLOAT64, 2 + v, shape + 1 - v);
        if (v)
            in[f].component_axis = out[f].component_axis = 0;
    }
    for (f = 0; f < 5 * N; ++f) {
        u[f] = 0.5;
        next[f] = -77;
    }
}

static void refused_(surrogate_model *m, int status, const char *part, int line) {
    int i, written = 0;
    check_status(surrogate_predict(m, out, in, 4, NULL), status, part, __FILE__, line, "surrogate_predict");
    for (i = 0; i < 5 * N; ++i)
        written += next[i] != -77;
    if (written) {
        fprintf(stderr, "%s:%d: output was written\n", __FILE__, line);
        ++failures;
    }
    describe();
    check_status(surrogate_predict(m, out, in, 4, NULL), SURROGATE_OK, "", __FILE__, line, "the next prediction");
    describe();
}

#define REFUSED(status, part) refused_(m, status, part, __LINE__)

static void descriptions(surrogate_model *m) {
    static float single[N];
    int f;
    describe();
    in[0].name = "rhoo";
    REFUSED(SURROGATE_ERROR_FIELD, "'rhoo' is unknown (did you mean 'rho'?)");
    in[3].name = "rho";
    REFUSED(SURROGATE_ERROR_FIELD, "'rho' is given twice");
    out[3].name = "v";
    REFUSED(SURROGATE_ERROR_FIELD, "'v' is given twice");
    in[1].unit = "km/h";
    REFUSED(SURROGATE_ERROR_UNIT, "unit 'km/h' given, expected 'm s-1'");
    in[0].data = NULL;
    REFUSED(SURROGATE_ERROR_ARGUMENT, "input field 'rho': data is NULL");
    out[0].data = NULL;
    REFUSED(SURROGATE_ERROR_ARGUMENT, "output field 'rho': data is NULL");
    in[0].data = (char *)u + 1;
    REFUSED(SURROGATE_ERROR_ARGUMENT, "not aligned");
    in[0].dtype = 3;
    REFUSED(SURROGATE_ERROR_DTYPE, "dtype 3 given");
    surrogate_field_init(&in[0], "rho", single, SURROGATE_FLOAT32, 2, in[0].shape);
    REFUSED(SURROGATE_ERROR_DTYPE, "input field 'v': float64 given, expected float32 as field 'rho'");
    for (f = 0; f < 4; ++f) {
        surrogate_field_init(&out[f], out[f].name, out[f].data, SURROGATE_FLOAT32, in[f].rank, in[f].shape);
        out[f].component_axis = in[f].component_axis;
    }
    REFUSED(SURROGATE_ERROR_DTYPE, "output of float32 and input of float64 given, expected the same dtype");
    in[0].memory = SURROGATE_CUDA;
    REFUSED(SURROGATE_ERROR_ARGUMENT, "'v': host memory given, expected memory of cuda:0 as field 'rho'");
    for (f = 0; f < 4; ++f)
        in[f].memory = SURROGATE_CUDA;
    REFUSED(SURROGATE_ERROR_ARGUMENT, "output in host memory and input in memory of cuda:0 given");
    for (f = 0; f < 4; ++f)
        in[f].memory = out[f].memory = SURROGATE_CUDA;
    REFUSED(SURROGATE_ERROR_UNSUPPORTED, "engine stub 1 has no passes of its own, so fields must be in host memory");
    in[0].memory = 9;
    REFUSED(SURROGATE_ERROR_ARGUMENT, "memory 9");
    in[0].reserved[0] = u;
    REFUSED(SURROGATE_ERROR_ARGUMENT,
            "input field 'rho': reserved is not zero, expected NULL; use surrogate_field_init");
    out[3].reserved[1] = u;
    REFUSED(SURROGATE_ERROR_ARGUMENT, "output field 'p': reserved is not zero");
    in[1].component_axis = -1;
    REFUSED(SURROGATE_ERROR_SHAPE, "rank 3 given, expected 2");
    in[1].component_axis = 5;
    REFUSED(SURROGATE_ERROR_SHAPE, "component_axis 5");
    in[1].batch_axis = 0;
    REFUSED(SURROGATE_ERROR_SHAPE, "rank 3 given, expected 4");
    in[1].component_axis = 1;
    REFUSED(SURROGATE_ERROR_FIELD, "8 components given, expected 2");
    in[0].rank = 9;
    REFUSED(SURROGATE_ERROR_SHAPE, "rank 9");
    in[0].rank = -1;
    REFUSED(SURROGATE_ERROR_SHAPE, "rank -1");
}

static void shapes(surrogate_model *m) {
    surrogate_model *fixed = open_bundle("fixed");
    int64_t shape[3] = {1, 8, 8};
    int f;
    describe();
    in[0].shape[0] = 4;
    REFUSED(SURROGATE_ERROR_SHAPE, "share one grid");
    in[0].shape[0] = 0;
    REFUSED(SURROGATE_ERROR_SHAPE, "at least 1 in axis 0");
    in[0].shape[1] = INT64_MAX / 4;
    REFUSED(SURROGATE_ERROR_SHAPE, "larger than any memory");
    in[0].strides[0] = INT64_MIN;
    REFUSED(SURROGATE_ERROR_SHAPE, "larger than any memory");
    in[0].strides[1] = 12;
    REFUSED(SURROGATE_ERROR_SHAPE, "stride 12 of axis 1");
    for (f = 0; f < 4; ++f)
        in[f].shape[in[f].rank - 1] = 10;
    REFUSED(SURROGATE_ERROR_SHAPE,
            "grid [8, 10] given, expected multiples of [4, 4] (axes y, x); choose the domain's size so, "
            "and keep the spacing that the model was trained at ([0.1, 0.2] m)");
    for (f = 0; f < 4; ++f)
        out[f].shape[out[f].rank - 1] = 8;
    REFUSED(SURROGATE_ERROR_SHAPE, "output grid [8, 8] given, expected [8, 12]");
    CHECK_STATUS(surrogate_predict_array(fixed, next, u, SURROGATE_FLOAT64, 3, shape, NULL), SURROGATE_ERROR_SHAPE,
                 "expected exactly [8, 12]");
    surrogate_close(fixed);
}

static void counts_and_pointers(surrogate_model *m) {
    int64_t shape[3] = {4, NY, NX};
    surrogate_rejection rejection;
    describe();
    CHECK_STATUS(surrogate_predict(m, out, in, 3, NULL), SURROGATE_ERROR_FIELD, "missing: 'p'");
    CHECK_STATUS(surrogate_predict(m, out, in, 0, NULL), SURROGATE_ERROR_FIELD, "0 fields given, expected 4");
    CHECK_STATUS(surrogate_predict(m, NULL, in, 4, NULL), SURROGATE_ERROR_ARGUMENT, "output is NULL");
    CHECK_STATUS(surrogate_predict(m, out, NULL, 4, NULL), SURROGATE_ERROR_ARGUMENT, "input is NULL");
    CHECK_STATUS(surrogate_predict(NULL, out, in, 4, NULL), SURROGATE_ERROR_ARGUMENT, "model is NULL");
    CHECK_STATUS(surrogate_predict_array(m, next, u, SURROGATE_FLOAT64, 3, shape, NULL), SURROGATE_ERROR_FIELD,
                 "4 channels given");
    CHECK_STATUS(surrogate_predict_array(m, next, u, SURROGATE_FLOAT64, 2, shape, NULL), SURROGATE_ERROR_SHAPE,
                 "rank 2");
    shape[0] = 5;
    CHECK_STATUS(surrogate_predict_array(m, next, u, 77, 3, shape, NULL), SURROGATE_ERROR_DTYPE, "dtype 77");
    CHECK_STATUS(surrogate_predict_array(m, next, u, SURROGATE_FLOAT64, 3, NULL, NULL), SURROGATE_ERROR_ARGUMENT,
                 "shape");
    shape[2] = INT64_MAX;
    CHECK_STATUS(surrogate_predict_array(m, next, u, SURROGATE_FLOAT64, 3, shape, NULL), SURROGATE_ERROR_SHAPE, "fit");
    shape[2] = -4;
    CHECK_STATUS(surrogate_predict_array(m, next, u, SURROGATE_FLOAT64, 3, shape, NULL), SURROGATE_ERROR_SHAPE, "-4");
    rejection.struct_size = sizeof rejection;
    CHECK_STATUS(surrogate_last_rejection(m, &rejection), SURROGATE_OK, "");
    CHECK(rejection.reason == SURROGATE_REASON_NONE && rejection.field == -1);
}

static void overlaps(surrogate_model *m) {
    surrogate_field swap;
    describe();
    out[0].data = in[3].data;
    REFUSED(SURROGATE_ERROR_OVERLAP, "output field 'rho' shares memory with input field 'p'");
    out[0].data = u + 1;
    REFUSED(SURROGATE_ERROR_OVERLAP, "output field 'rho' shares memory with input field 'rho'");
    out[0].data = u;
    out[0].strides[0] = -out[0].strides[0]; /* the same memory upside down */
    out[0].data = u + (NY - 1) * NX;
    REFUSED(SURROGATE_ERROR_OVERLAP, "shares memory");
    out[3].data = next;
    REFUSED(SURROGATE_ERROR_OVERLAP, "output fields 'rho' and 'p' share memory");
    out[0].strides[0] = 0;
    REFUSED(SURROGATE_ERROR_OVERLAP, "different elements share memory");
    swap = out[2], out[2] = in[2], (void)swap; /* a condition's output entry is ignored */
    CHECK_STATUS(surrogate_predict(m, out, in, 4, NULL), SURROGATE_OK, "");
    describe();
    in[2].strides[0] = in[2].strides[1] = 0; /* a constant may be broadcast */
    CHECK_STATUS(surrogate_predict(m, out, in, 4, NULL), SURROGATE_OK, "");
}

static void guards(surrogate_model *m) {
    surrogate_rejection r;
    describe();
    r.struct_size = sizeof r;
    u[2 * N + 5 * NX + 7] = NAN;
    REFUSED(SURROGATE_REJECTED, "input field 'v' is not finite at cell [5, 7] of component 1 (value nan)");
    CHECK_STATUS(surrogate_last_rejection(m, &r), SURROGATE_OK, "");
    CHECK(r.reason == SURROGATE_REASON_INPUT_NOT_FINITE && r.field == 1 && r.component == 1 && r.cell[0] == 5 &&
          r.cell[1] == 7 && r.cell[2] == 0 && r.batch == 0 && r.value != r.value && r.call > 0);
    u[3 * N + 1] = -INFINITY; /* a condition field is checked too */
    REFUSED(SURROGATE_REJECTED, "input field 'mask' is not finite at cell [0, 1] (value -inf)");
    u[4 * N + NX] = 1000.5;
    REFUSED(SURROGATE_REJECTED,
            "input field 'p' is out of bounds at cell [1, 0] (value 1000.5; allowed: at least -1000 and "
            "at most 1000)");
    CHECK_STATUS(surrogate_last_rejection(m, &r), SURROGATE_OK, "");
    CHECK(r.reason == SURROGATE_REASON_INPUT_OUT_OF_BOUNDS && r.lower == -1000 && r.upper == 1000 && r.value == 1000.5);
    u[4 * N + NX] = 900; /* p of the next frame: 1 + (3 * 900 + 1) / 2, one row further and two columns back */
    REFUSED(SURROGATE_REJECTED, "predicted field 'p' is out of bounds at cell [2, 10] (value 1351.5");
    CHECK_STATUS(surrogate_last_rejection(m, &r), SURROGATE_OK, "");
    CHECK(r.reason == SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS && r.field == 3 && r.cell[0] == 2 && r.cell[1] == 10);
    u[N] = 1e200; /* finite, but no float32 */
    REFUSED(SURROGATE_REJECTED, "input field 'v' is not finite");
}

static void guards_can_be_replaced(void) {
    surrogate_model *m = NULL;
    surrogate_open_options options;
    double x[2] = {3, 4}, y[2] = {-1, -1};
    int64_t shape[3] = {1, 1, 2};
    surrogate_open_options_init(&options, sizeof options);
    options.guards = "{\"bounds\": {\"u\": {\"upper\": 7.5}}}"; /* lower stays 0 */
    CHECK_STATUS(surrogate_open(&m, bundle("bounded"), &options), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_array(m, y, x, SURROGATE_FLOAT64, 3, shape, NULL), SURROGATE_REJECTED,
                 "predicted field 'u' is out of bounds at cell [0, 1] (value 8; allowed: at least 0 and at most 7.5)");
    x[0] = -1;
    CHECK_STATUS(surrogate_predict_array(m, y, x, SURROGATE_FLOAT64, 3, shape, NULL), SURROGATE_REJECTED, "(value -1");
    surrogate_close(m);
    options.guards = "{\"finite\": false, \"bounds\": {\"u\": null}}";
    CHECK_STATUS(surrogate_open(&m, bundle("bounded"), &options), SURROGATE_OK, "");
    x[0] = NAN;
    CHECK_STATUS(surrogate_predict_array(m, y, x, SURROGATE_FLOAT64, 3, shape, NULL), SURROGATE_OK, "");
    CHECK(y[0] != y[0] && y[1] == 8);
    surrogate_close(m);
}

static void bounds_decide_in_float32_as_in_double(void) {
    surrogate_model *m = NULL;
    surrogate_open_options options;
    int64_t shape[3] = {1, 1, 1};
    float x = 0.1f, y = 0; /* 0.1f is above 0.1 */
    surrogate_open_options_init(&options, sizeof options);
    options.guards = "{\"bounds\": {\"u\": {\"upper\": 0.1}}}";
    CHECK_STATUS(surrogate_open(&m, bundle("zero"), &options), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_array(m, &y, &x, SURROGATE_FLOAT32, 3, shape, NULL), SURROGATE_REJECTED,
                 "at most 0.1");
    x = nextafterf(x, 0.0f);
    CHECK_STATUS(surrogate_predict_array(m, &y, &x, SURROGATE_FLOAT32, 3, shape, NULL), SURROGATE_OK, "");
    surrogate_close(m);
}

static void faulty(const char *name, int status, const char *part) {
    surrogate_model *m = open_bundle(name);
    int64_t shape[3] = {1, 4, 4};
    double x[16] = {0}, y[16] = {9};
    CHECK_STATUS(surrogate_predict_array(m, y, x, SURROGATE_FLOAT64, 3, shape, NULL), status, part);
    CHECK(y[0] == 9 && y[15] == 0);
    surrogate_close(m);
}

static void programs_that_fail(void) {
    faulty("fail_run", SURROGATE_ERROR_EXECUTION, "asks to fail in run");
    faulty("fail_message", SURROGATE_ERROR_EXECUTION, "no reason was given");
    faulty("fail_shape", SURROGATE_ERROR_EXECUTION, "returned shape [1, 1, 4, 5], expected [1, 1, 4, 4]");
    faulty("fail_nan", SURROGATE_REJECTED, "predicted field 'u' is not finite at cell [2, 0] (value nan)");
    faulty("fail_inf", SURROGATE_REJECTED, "predicted field 'u' is not finite at cell [2, 0] (value inf)");
}

int main(int argc, char **argv) {
    surrogate_model *m;
    start(argc, argv);
    m = open_bundle("flow");
    counts_and_pointers(m);
    descriptions(m);
    shapes(m);
    overlaps(m);
    guards(m);
    surrogate_close(m);
    guards_can_be_replaced();
    bounds_decide_in_float32_as_in_double();
    programs_that_fail();
    return finish();
}
