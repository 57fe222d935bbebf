// TorchScript programs.  The only file with the JIT's headers, which take long to compile.
//
// The program's graph is prepared once and interpreted directly.  Module::forward would go through the profiling
// executor, whose first two calls of every new shape are slow (it records, then specialises) and which gains nothing
// where there is no fuser, as on CPUs; the interpreter's calls all cost the same.
//
// A file may hold several programs, methods of one module: a model that loads them has its weights once.
#include <c10/core/DeviceGuard.h>
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
#include "tensors.hpp"

namespace surrogate_torch {
namespace {

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

torch::jit::Module read_module(const surrogate_engine_load &request, c10::Device device) {
    // The bytes first: they are those whose hash was checked.
    torch::jit::Module module = request.data != nullptr
                                    ? torch::jit::load(std::make_shared<Bytes>(request.data, request.size), device)
                                    : torch::jit::load(std::string(request.path), device);
    module.eval();
    return module;
}

std::string names_of(const torch::jit::Module &module) {
    std::string names;
    for (const torch::jit::Method &method : module.get_methods())
        names += (names.empty() ? "" : ", ") + method.name();
    return names;
}

class TorchScript final : public surrogate_program {
  public:
    // name: of the method that is the program.
    TorchScript(torch::jit::Module module, const char *name, c10::Device device, const Options &options)
        : surrogate_program(device, options), module_(std::move(module)) {
        const auto method = module_.find_method(name);
        if (!method)
            throw Failure(SURROGATE_ERROR_ENGINE, std::string("torch engine: the file has no method '") + name +
                                                      "', only " + names_of(module_) + "; export the bundle again");
        auto &function = torch::jit::toGraphFunction(method->function());
        function.ensure_defined();
        std::shared_ptr<torch::jit::Graph> graph = function.optimized_graph()->copy();
        torch::jit::runRequiredPasses(graph);
        const torch::jit::AliasDb aliases(graph);
        for (size_t i = 1; i < graph->inputs().size(); ++i)
            writes_input_ = writes_input_ || aliases.hasWriters(graph->inputs()[i]);
        code_ = torch::jit::Code(graph, name);
        stack_.reserve(16);
    }

    // The file's module: what its methods share.
    const torch::jit::Module &module() const { return module_; }

  private:
    at::Tensor forward(std::vector<at::Tensor> &inputs) override {
        check_input_count(static_cast<int64_t>(code_.num_inputs()) - 1, static_cast<int64_t>(inputs.size()));
        try {
            stack_.clear();
            stack_.emplace_back(module_._ivalue());
            for (at::Tensor &input : inputs)
                stack_.emplace_back(std::move(input));
            torch::jit::InterpreterState(code_).run(stack_);
            return take_output();
        } catch (...) {
            stack_.clear();
            throw;
        }
    }

    at::Tensor take_output() {
        if (stack_.size() != 1 || !stack_.back().isTensor())
            throw Failure(SURROGATE_ERROR_EXECUTION,
                          "torch engine: the program returned " +
                              (stack_.empty() ? std::string("nothing") : stack_.back().tagKind()) +
                              ", expected one tensor; export the bundle again");
        at::Tensor result = std::move(stack_.back()).toTensor();
        stack_.clear();
        return result;
    }

    torch::jit::Module module_;
    torch::jit::Code code_;
    torch::jit::Stack stack_;
};

} // namespace

std::unique_ptr<surrogate_program> load_torchscript(const surrogate_engine_load &request, const Options &options) {
    const Quiet quiet;
    const c10::Device device = device_of(request);
    const c10::OptionalDeviceGuard current(device.is_cuda() ? std::make_optional(device) : std::nullopt);
    const auto *sibling = dynamic_cast<const TorchScript *>(request.sibling);
    return std::make_unique<TorchScript>(sibling ? sibling->module() : read_module(request, device),
                                         request.method ? request.method : "forward", device, options);
}

} // namespace surrogate_torch
