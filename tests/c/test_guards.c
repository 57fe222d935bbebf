/* Guards that open replaces, and how bounds decide; bad calls: tests/faults. */
#include "check.h"

#include <math.h>

static void a_fixed_grid_is_the_only_one(void) {
    surrogate_model *fixed = open_bundle("fixed");
    int64_t shape[3] = {1, 8, 8};
    double x[64] = {0}, y[64];
    CHECK_STATUS(surrogate_predict_array(fixed, y, x, SURROGATE_FLOAT64, 3, shape, NULL), SURROGATE_ERROR_SHAPE,
                 "expected exactly [8, 12]");
    surrogate_close(fixed);
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

int main(int argc, char **argv) {
    start(argc, argv);
    a_fixed_grid_is_the_only_one();
    guards_can_be_replaced();
    bounds_decide_in_float32_as_in_double();
    return finish();
}
