#include "tensors.hpp"

#include <ATen/Context.h>
#include <ATen/ops/from_blob.h>
#include <dlfcn.h>

#include <algorithm>

#include "message.hpp"
#include "surrogate/surrogate.h"

namespace surrogate_torch {
namespace {

struct Silence : c10::WarningHandler {
    void process(const c10::Warning &) override {}
};

Silence silence;

std::string expected_shape(const surrogate_tensor &state) {
    std::string shape;
    for (int32_t axis = 0; axis < state.rank; ++axis)
        shape += (axis > 0 ? ", " : "") + (axis == 1 ? std::string("C") : std::to_string(state.shape[axis]));
    return shape;
}

std::string shape_of(const at::Tensor &tensor) {
    std::string shape;
    for (int64_t axis = 0; axis < tensor.dim(); ++axis)
        shape += (axis > 0 ? ", " : "") + std::to_string(tensor.size(axis));
    return shape;
}

void check_shape(const at::Tensor &result, const surrogate_tensor &state) {
    bool fits = result.dim() == state.rank;
    for (int32_t axis = 0; fits && axis < state.rank; ++axis)
        fits = axis == 1 || result.size(axis) == state.shape[axis]; // (B, any, ny, nx)
    if (!fits)
        throw Failure(SURROGATE_ERROR_EXECUTION, "torch engine: the program returned shape (" + shape_of(result) +
                                                     "), expected (" + expected_shape(state) +
                                                     "): batch and grid of its input; export the bundle again");
}

// Only the whole, unmoved input is safe to return, because then each value is read just before it is written.
bool shares_input(const at::Tensor &result, const surrogate_tensor &state) {
    if (result.storage().data() != state.data)
        return false;
    return result.data_ptr() != state.data || result.size(1) != state.shape[1];
}

} // namespace

Quiet::Quiet() : guard_(&silence) {}

c10::Device device_of(const surrogate_engine_load &request) {
    const c10::Device device{std::string(request.device)};
    if (device.is_cuda()) {
        dlopen("libtorch_cuda.so",
               RTLD_NOW | RTLD_LOCAL); // registers CUDA; not linked, so that CPU users never load it
        if (!at::hasCUDA())
            throw Failure(SURROGATE_ERROR_ENGINE,
                          std::string("torch engine: device ") + request.device +
                              " was asked for, but there is no usable CUDA (driver, or a torch without CUDA); "
                              "open with device \"cpu\"");
    }
    return device;
}

at::Tensor input_on(const surrogate_tensor &input, c10::Device device) {
    if (input.dtype != SURROGATE_FLOAT32 || input.memory != SURROGATE_HOST)
        throw Failure(SURROGATE_ERROR_UNSUPPORTED, "torch engine: inputs must be float32 in host memory");
    const c10::IntArrayRef sizes(input.shape, static_cast<size_t>(input.rank));
    at::Tensor tensor = at::for_blob(input.data, sizes).options(at::kFloat).make_tensor();
    return device.is_cpu() ? tensor : tensor.to(device);
}

at::Tensor finished(at::Tensor result, const surrogate_tensor &state, c10::Device device) {
    check_shape(result, state);
    if (result.scalar_type() != at::kFloat || result.device() != device)
        result = result.to(device, at::kFloat);
    if (!result.is_contiguous())
        result = result.contiguous();
    return shares_input(result, state) ? result.clone() : result;
}

void describe(surrogate_tensor *output, const at::Tensor &tensor) {
    output->data = tensor.data_ptr();
    output->dtype = SURROGATE_FLOAT32;
    output->memory = tensor.is_cpu() ? SURROGATE_HOST : SURROGATE_CUDA;
    output->device = tensor.is_cpu() ? 0 : tensor.device().index();
    output->rank = static_cast<int32_t>(tensor.dim());
    std::copy(tensor.sizes().begin(), tensor.sizes().end(), output->shape);
}

void check_input_count(int64_t taken, int64_t given) {
    if (taken != given)
        throw Failure(SURROGATE_ERROR_ENGINE, "torch engine: the program takes " + std::to_string(taken) +
                                                  " inputs, the manifest describes " + std::to_string(given) +
                                                  "; export the bundle again");
}

} // namespace surrogate_torch
