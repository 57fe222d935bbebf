// The public functions of section 5, a prediction in parts: each is one guarded call.
#include "c_handle.h"

using namespace surrogate::core;

extern "C" {

int surrogate_parts_begin(surrogate_model *model, float *packed, const surrogate_field *output,
                          const surrogate_field *input, size_t count, const surrogate_step_options *step) {
    return guarded("surrogate_parts_begin", [&] {
        opened(model).begin_parts(packed, output, input, count, read_step(step));
        return SURROGATE_OK;
    });
}

int surrogate_parts_run(surrogate_model *model, const float **increments, const float *tiles, int64_t batch,
                        const int64_t *shape, const int64_t *origins, const surrogate_step_options *step) {
    return guarded("surrogate_parts_run", [&] {
        Model &opened_model = opened(model);
        if (!increments)
            fail(SURROGATE_ERROR_ARGUMENT, "increments is NULL, expected the address of a pointer");
        *increments = opened_model.run_tiles(tiles, batch, shape, origins, read_step(step));
        return SURROGATE_OK;
    });
}

int surrogate_parts_partials(surrogate_model *model, const float *increments, double *partials, size_t count,
                             surrogate_rejection *own) {
    return guarded("surrogate_parts_partials", [&] {
        Model &opened_model = opened(model);
        if (own) // before anything is written
            given_size(own, "own", "set it to sizeof of the struct before the call");
        const surrogate_rejection found = opened_model.judge_parts(increments, partials, count);
        if (own)
            write_versioned(own, found, "own");
        return SURROGATE_OK;
    });
}

int surrogate_parts_abandon(surrogate_model *model) {
    return guarded("surrogate_parts_abandon", [&] {
        opened(model).abandon_parts();
        return SURROGATE_OK;
    });
}

} // extern "C"
