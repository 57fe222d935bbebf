// The public functions of section 5, predict: each is one guarded call.
#include "c_handle.h"

#include <limits>

using namespace surrogate::core;

namespace {

void draw(float *values, std::int64_t input, std::int64_t channels, int rank, const std::int64_t *shape,
          const surrogate_step_options &step) {
    if (!values || !shape)
        fail(SURROGATE_ERROR_ARGUMENT, values ? "shape" : "values", " is NULL");
    if (rank < 1 || rank > 3 || input < 0 || channels < 1)
        fail(SURROGATE_ERROR_ARGUMENT, "rank ", rank, ", input ", input, ", channels ", channels,
             " given, expected a rank of 1 to 3, an input from 0, at least one channel");
    std::int64_t cells[3] = {1, 1, 1}, size = channels;
    for (int k = 0; k < rank; ++k) {
        cells[k] = shape[k];
        if (shape[k] < 1 || __builtin_mul_overflow(size, shape[k], &size))
            fail(SURROGATE_ERROR_SHAPE, "shape ", list_text(shape, rank), " given, expected sizes of at least 1");
    }
    const NoiseKey key = read_noise_key(step);
    fill_noise(values, key, static_cast<std::uint64_t>(step.member), static_cast<std::uint64_t>(input), channels, cells,
               read_domain(step, rank, cells));
}

} // namespace

extern "C" {

void surrogate_step_options_init(surrogate_step_options *step, size_t size) {
    surrogate_step_options defaults{};
    defaults.step = -1;
    defaults.time = std::numeric_limits<double>::quiet_NaN();
    defaults.members = 1;
    defaults.guidance = std::numeric_limits<double>::quiet_NaN();
    init_versioned(step, size, defaults);
}

int surrogate_predict(surrogate_model *model, const surrogate_field *output, const surrogate_field *input, size_t count,
                      const surrogate_step_options *step) {
    constexpr const char *where = "surrogate_predict";
    return guarded(where, [&] { return opened(model).predict(where, output, input, count, read_step(step)); });
}

int surrogate_predict_array(surrogate_model *model, void *output, const void *input, int dtype, int rank,
                            const int64_t *shape, const surrogate_step_options *step) {
    constexpr const char *where = "surrogate_predict_array";
    return guarded(
        where, [&] { return opened(model).predict_array(where, output, input, dtype, rank, shape, read_step(step)); });
}

int surrogate_predict_begin(surrogate_model *model, const surrogate_field *output, const surrogate_field *input,
                            size_t count, const surrogate_step_options *step) {
    return guarded("surrogate_predict_begin", [&] {
        opened(model).begin(output, input, count, read_step(step));
        return SURROGATE_OK;
    });
}

int surrogate_predict_test(surrogate_model *model, int *done) {
    return guarded("surrogate_predict_test", [&] {
        if (!done)
            fail(SURROGATE_ERROR_ARGUMENT, "done is NULL, expected the address of an int");
        *done = opened(model).done();
        return SURROGATE_OK;
    });
}

int surrogate_predict_wait(surrogate_model *model) {
    constexpr const char *where = "surrogate_predict_wait";
    return guarded(where, [&] { return opened(model).wait(where); });
}

int surrogate_predict_partials(surrogate_model *model, double *partials, size_t count) {
    return guarded("surrogate_predict_partials", [&] {
        opened(model).partials(partials, count);
        return SURROGATE_OK;
    });
}

int surrogate_predict_finish(surrogate_model *model, const double *totals, size_t count) {
    constexpr const char *where = "surrogate_predict_finish";
    return guarded(where, [&] { return opened(model).finish(where, totals, count); });
}

int surrogate_noise(float *values, int64_t input, int64_t channels, int rank, const int64_t *shape,
                    const surrogate_step_options *step) {
    return guarded("surrogate_noise", [&] {
        draw(values, input, channels, rank, shape, read_step(step));
        return SURROGATE_OK;
    });
}

int surrogate_last_rejection(surrogate_model *model, surrogate_rejection *rejection) {
    return guarded("surrogate_last_rejection", [&] {
        write_versioned(rejection, opened(model).last_rejection(), "rejection");
        return SURROGATE_OK;
    });
}

} // extern "C"
