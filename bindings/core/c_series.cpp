// The public functions of section 5 that predict several frames: each is one guarded call.
#include "c_handle.h"

using namespace surrogate::core;

extern "C" {

int surrogate_predict_ensemble(surrogate_model *model, const surrogate_field *mean, const surrogate_field *spread,
                               const surrogate_field *input, size_t count, const surrogate_step_options *step) {
    constexpr const char *where = "surrogate_predict_ensemble";
    return guarded(where,
                   [&] { return opened(model).predict_ensemble(where, mean, spread, input, count, read_step(step)); });
}

int surrogate_predict_members(surrogate_model *model, const surrogate_field *output, const surrogate_field *input,
                              size_t count, const surrogate_step_options *step) {
    constexpr const char *where = "surrogate_predict_members";
    return guarded(where, [&] { return opened(model).predict_members(where, output, input, count, read_step(step)); });
}

int surrogate_rollout(surrogate_model *model, int64_t *completed, const surrogate_field *output,
                      const surrogate_field *input, size_t count, int64_t steps, const surrogate_step_options *step) {
    constexpr const char *where = "surrogate_rollout";
    return guarded(
        where, [&] { return opened(model).rollout(where, completed, output, input, count, steps, read_step(step)); });
}

} // extern "C"
