// What is behind a public handle.
#pragma once

#include "model.h"
#include "versioned.h"

struct surrogate_model {
    static constexpr std::uint64_t OPEN = 0x6c65646f6d727573; // "surmodel"
    surrogate_model(surrogate::core::Bundle bundle, const surrogate::core::Options &options)
        : model(std::move(bundle), options) {}
    ~surrogate_model() { *const_cast<volatile std::uint64_t *>(&magic) = 0; }
    std::uint64_t magic = OPEN;
    surrogate::core::Model model;
};

namespace surrogate::core {

inline Model &opened(surrogate_model *handle) {
    if (!handle)
        fail(SURROGATE_ERROR_ARGUMENT, "model is NULL; was surrogate_open called, and did it return SURROGATE_OK?");
    if (handle->magic != surrogate_model::OPEN)
        fail(SURROGATE_ERROR_ARGUMENT, "model is not an open model; was it closed already?");
    return handle->model;
}

inline surrogate_step_options read_step(const surrogate_step_options *given) {
    surrogate_step_options step;
    surrogate_step_options_init(&step, sizeof step);
    return given ? read_versioned(given, step, "step", "call surrogate_step_options_init first") : step;
}

} // namespace surrogate::core
