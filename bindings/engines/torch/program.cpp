#include "program.hpp"

#include <c10/core/InferenceMode.h>
#include <c10/core/StreamGuard.h>

#include <algorithm>

#include "message.hpp"
#include "surrogate/surrogate.h"
#include "tensors.hpp"

using namespace surrogate_torch;

namespace {

// What torch is to hold while we run in it: nothing recorded, nothing printed, the caller's stream; afterwards the
// host's current device and stream again.
class Inside {
  public:
    Inside(c10::Device device, void *stream) : stream_(current(device, stream)) {}

  private:
    // torch names a stream of the caller by its handle; 0 and 1 (cudaStreamLegacy) are the default stream.
    static std::optional<c10::Stream> current(c10::Device device, void *stream) {
        if (!device.is_cuda())
            return std::nullopt;
        const auto handle = reinterpret_cast<intptr_t>(stream);
        if (handle == 0 || handle == 1)
            return c10::Stream(c10::Stream::DEFAULT, device);
        return c10::Stream(c10::Stream::UNSAFE, device, handle);
    }

    const c10::InferenceMode inference_;
    const Quiet quiet_;
    const c10::OptionalStreamGuard stream_;
};

// The whole shape of the program's state input, for the checks of its result.
surrogate_tensor state_of(const at::Tensor &packed) {
    surrogate_tensor state{};
    state.data = packed.data_ptr();
    state.rank = static_cast<int32_t>(packed.dim());
    std::copy(packed.sizes().begin(), packed.sizes().end(), state.shape);
    return state;
}

} // namespace

at::Tensor surrogate_program::run_forward() {
    return graphs_.run(inputs_, [this](std::vector<at::Tensor> &inputs) { return forward(inputs); });
}

void surrogate_program::run(surrogate_tensor *output, const surrogate_tensor *inputs, int32_t input_count,
                            void *stream) {
    const Inside inside(device_, stream);
    output_ = at::Tensor(); // its memory is torch's to use again
    inputs_.clear();
    for (int32_t i = 0; i < input_count; ++i) {
        inputs_.push_back(input_on(inputs[i], device_));
        if (writes_input_ && device_.is_cpu())
            inputs_.back() = inputs_.back().clone();
    }
    output_ = finished(run_forward(), inputs[0], at::kCPU);
    inputs_.clear();
    describe(output, output_);
}

void surrogate_program::device_run(surrogate_engine_sums *sources, surrogate_engine_sums *targets,
                                   const surrogate_engine_layout &layout, const surrogate_tensor *inputs,
                                   int32_t input_count, void *stream) {
    const Inside inside(device_, stream);
    if (layout.memory == SURROGATE_CUDA && (!device_.is_cuda() || device_.index() != layout.device))
        throw Failure(SURROGATE_ERROR_UNSUPPORTED,
                      "torch engine: the fields are on cuda:" + std::to_string(layout.device) + ", the program on " +
                          device_.str() + "; open the model with device \"cuda:" + std::to_string(layout.device) +
                          "\", or move the fields");
    const at::Tensor packed = passes_.pack(layout); // (B, C, spatial...)
    inputs_.clear();
    inputs_.push_back(writes_input_ ? packed.clone() : packed);
    for (int32_t i = 0; i < input_count; ++i)
        inputs_.push_back(input_on(inputs[i], device_));
    const at::Tensor result = finished(run_forward(), state_of(packed), device_);
    inputs_.clear();
    if (result.size(1) != layout.target_count)
        throw Failure(SURROGATE_ERROR_EXECUTION, "torch engine: the program returned " +
                                                     std::to_string(result.size(1)) + " channels, expected " +
                                                     std::to_string(layout.target_count) + "; export the bundle again");
    passes_.review(sources, targets, layout, result);
}

void surrogate_program::device_write(const surrogate_engine_layout &layout, void *stream) {
    const Inside inside(device_, stream);
    passes_.write(layout);
}
