// TorchScript programs.  The only file with the JIT's headers, which take long to compile.
//
// The program's graph is prepared once and interpreted directly.  Module::forward would go through the profiling
// executor, whose first two calls of every new shape are slow (it records, then specialises) and which gains nothing
// where there is no fuser, as on CPUs; the interpreter's calls all cost the same.
#include <ATen/Context.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <dlfcn.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/runtime/interpreter.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <cstring>

#include "message.hpp"
#include "program.hpp"
#include "surrogate/surrogate.h"

namespace surrogate_torch {
namespace {

// torch prints warnings (TorchScript's deprecation, for one); a library must not.
struct Silence : c10::WarningHandler {
    void process(const c10::Warning &) override {}
};

Silence silence;

// A file in memory that torch reads without a copy of its own.
class Bytes : public caffe2::serialize::ReadAdapterInterface {
  public:
    Bytes(const void *data, size_t size) : data_(static_cast<const char *>(data)), size_(size) {}
    size_t size() const override { return size_; }
    size_t read(uint64_t position, void *buffer, size_t count, const char *) const override {
        if (position >= size_)
            return 0;
        count = std::min(count, size_ - static_cast<size_t>(position));
        std::memcpy(buffer, data_ + position, count);
        return count;
    }

  private:
    const char *data_;
    size_t size_;
};

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

torch::jit::Module read_module(const surrogate_engine_load &request, c10::Device device) {
    // The bytes first: they are those whose hash was checked.
    torch::jit::Module module = request.data != nullptr
                                    ? torch::jit::load(std::make_shared<Bytes>(request.data, request.size), device)
                                    : torch::jit::load(std::string(request.path), device);
    module.eval();
    return module;
}

class TorchScript final : public surrogate_program {
  public:
    TorchScript(torch::jit::Module module, c10::Device device) : module_(std::move(module)), device_(device) {
        auto &function = torch::jit::toGraphFunction(module_.get_method("forward").function());
        function.ensure_defined();
        std::shared_ptr<torch::jit::Graph> graph = function.optimized_graph()->copy();
        torch::jit::runRequiredPasses(graph);
        const torch::jit::AliasDb aliases(graph);
        for (size_t i = 1; i < graph->inputs().size(); ++i)
            writes_input_ = writes_input_ || aliases.hasWriters(graph->inputs()[i]);
        code_ = torch::jit::Code(graph, "forward");
        stack_.reserve(16);
    }

    void run(surrogate_tensor *output, const surrogate_tensor *inputs, int32_t input_count) override {
        const c10::InferenceMode inference;
        const c10::WarningUtils::WarningHandlerGuard quiet(&silence);
        const c10::OptionalDeviceGuard current(device_.is_cuda() ? std::make_optional(device_) : std::nullopt);
        output_ = at::Tensor(); // its memory is torch's to use again
        try {
            push_inputs(inputs, input_count);
            torch::jit::InterpreterState(code_).run(stack_);
            take_output(inputs[0]);
        } catch (...) {
            stack_.clear();
            throw;
        }
        describe(output);
    }

  private:
    void push_inputs(const surrogate_tensor *inputs, int32_t count) {
        if (code_.num_inputs() != static_cast<size_t>(count) + 1)
            throw Failure(SURROGATE_ERROR_ENGINE,
                          "torch engine: the program takes " + std::to_string(code_.num_inputs() - 1) +
                              " inputs, the manifest describes " + std::to_string(count) + "; export the bundle again");
        stack_.clear();
        stack_.emplace_back(module_._ivalue());
        for (int32_t i = 0; i < count; ++i)
            stack_.emplace_back(tensor_on(inputs[i]));
    }

    // The caller's memory itself where the program only reads it on the host.
    at::Tensor tensor_on(const surrogate_tensor &input) const {
        if (input.dtype != SURROGATE_FLOAT32 || input.memory != SURROGATE_HOST)
            throw Failure(SURROGATE_ERROR_UNSUPPORTED, "torch engine: inputs must be float32 in host memory");
        const c10::IntArrayRef sizes(input.shape, static_cast<size_t>(input.rank));
        at::Tensor tensor = at::for_blob(input.data, sizes).options(at::kFloat).make_tensor();
        if (device_.is_cuda())
            return tensor.to(device_);
        return writes_input_ ? tensor.clone() : tensor;
    }

    void take_output(const surrogate_tensor &state) {
        if (stack_.size() != 1 || !stack_.back().isTensor())
            throw Failure(SURROGATE_ERROR_EXECUTION,
                          "torch engine: the program returned " +
                              (stack_.empty() ? std::string("nothing") : stack_.back().tagKind()) +
                              ", expected one tensor; export the bundle again");
        at::Tensor result = std::move(stack_.back()).toTensor();
        stack_.clear();
        check_shape(result, state);
        if (result.scalar_type() != at::kFloat || !result.is_cpu())
            result = result.to(at::kCPU, at::kFloat);
        if (!result.is_contiguous())
            result = result.contiguous();
        if (shares_input(result, state))
            result = result.clone();
        output_ = std::move(result);
    }

    static void check_shape(const at::Tensor &result, const surrogate_tensor &state) {
        bool fits = result.dim() == state.rank;
        for (int32_t axis = 0; fits && axis < state.rank; ++axis)
            fits = axis == 1 || result.size(axis) == state.shape[axis]; // (B, any, ny, nx)
        if (fits)
            return;
        std::string expected;
        for (int32_t axis = 0; axis < state.rank; ++axis)
            expected += (axis > 0 ? ", " : "") + (axis == 1 ? std::string("C") : std::to_string(state.shape[axis]));
        std::string given;
        for (int64_t axis = 0; axis < result.dim(); ++axis)
            given += (axis > 0 ? ", " : "") + std::to_string(result.size(axis));
        throw Failure(SURROGATE_ERROR_EXECUTION, "torch engine: the program returned shape (" + given +
                                                     "), expected (" + expected +
                                                     "): batch and grid of its input; export the bundle again");
    }

    // A view into the caller's array would change while libsurrogate writes the frame there; only the whole, unmoved
    // input is safe, because then each value is read just before it is written.
    static bool shares_input(const at::Tensor &result, const surrogate_tensor &state) {
        if (result.storage().data() != state.data)
            return false;
        return result.data_ptr() != state.data || result.size(1) != state.shape[1];
    }

    void describe(surrogate_tensor *output) const {
        output->data = output_.data_ptr();
        output->dtype = SURROGATE_FLOAT32;
        output->memory = SURROGATE_HOST;
        output->device = 0;
        output->rank = static_cast<int32_t>(output_.dim());
        std::copy(output_.sizes().begin(), output_.sizes().end(), output->shape);
    }

    torch::jit::Module module_;
    c10::Device device_;
    torch::jit::Code code_;
    bool writes_input_ = false; // an in-place operator on the input: it works on a copy, never on the caller's array
    torch::jit::Stack stack_;
    at::Tensor output_;
};

} // namespace

std::unique_ptr<surrogate_program> load_torchscript(const surrogate_engine_load &request) {
    const c10::WarningUtils::WarningHandlerGuard quiet(&silence);
    const c10::Device device = device_of(request);
    const c10::OptionalDeviceGuard current(device.is_cuda() ? std::make_optional(device) : std::nullopt);
    return std::make_unique<TorchScript>(read_module(request, device), device);
}

} // namespace surrogate_torch
