#include "program.hpp"

#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>

#include "tensors.hpp"

using namespace surrogate_torch;

void surrogate_program::run(surrogate_tensor *output, const surrogate_tensor *inputs, int32_t input_count) {
    const c10::InferenceMode inference;
    const Quiet quiet;
    const c10::OptionalDeviceGuard current(device_.is_cuda() ? std::make_optional(device_) : std::nullopt);
    output_ = at::Tensor(); // its memory is torch's to use again
    inputs_.clear();
    for (int32_t i = 0; i < input_count; ++i) {
        inputs_.push_back(input_on(inputs[i], device_));
        if (writes_input_ && device_.is_cpu())
            inputs_.back() = inputs_.back().clone();
    }
    output_ = finished(forward(inputs_), inputs[0], at::kCPU);
    inputs_.clear();
    describe(output, output_);
}
