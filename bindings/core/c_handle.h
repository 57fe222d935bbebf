// The public handle of a model, which outlives the model: a call after surrogate_close is an error, not a crash.
#pragma once

#include "model.h"
#include "versioned.h"

#include <atomic>

/// What surrogate_open hands out. The model behind it goes with surrogate_close; the handle itself is kept and used
/// again only after hundreds of further closes, so that its state may be read at any time.
struct surrogate_model {
    static constexpr std::uint64_t OPEN = 0x6c65646f6d727573; // "surmodel"
    std::atomic<std::uint64_t> state{0};                      // OPEN, or 0: closed
    std::unique_ptr<surrogate::core::Model> model;
    surrogate_model *next = nullptr; // of the closed ones
};

namespace surrogate::core {

/// A handle of `model`.
surrogate_model *make_handle(std::unique_ptr<Model> model);

/// The model of a handle; ERROR_ARGUMENT if it is NULL or was closed.
Model &opened(surrogate_model *handle);

/// Destroy the model of an open handle; ERROR_ARGUMENT as above.
void close_handle(surrogate_model *handle);

inline surrogate_step_options read_step(const surrogate_step_options *given) {
    surrogate_step_options step;
    surrogate_step_options_init(&step, sizeof step);
    return given ? read_versioned(given, step, "step", "call surrogate_step_options_init first") : step;
}

} // namespace surrogate::core
