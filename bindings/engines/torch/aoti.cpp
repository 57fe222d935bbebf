// AOTInductor packages: compiled code, run without an interpreter.
//
// A package is the .pt2 file, or better the folder that it was unpacked into: a file is unpacked to $TMPDIR at every
// open, a folder is used in place, its pages shared by all processes of a node.  Nothing in torch's loader looks at
// the instruction set that the code was compiled for; libsurrogate has done so before it comes here.
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

#include <ATen/ops/equal.h>
#include <ATen/ops/linspace.h>

#include <cstring>

#include "message.hpp"
#include "program.hpp"
#include "surrogate/surrogate.h"
#include "tensors.hpp"

namespace surrogate_torch {
namespace {

using Loader = torch::inductor::AOTIModelPackageLoader;

// Tensors that a pytree specification (JSON) describes: its leaves, which alone have no type. 0: none is stated.
int64_t leaves(const std::string &specification) {
    static const std::string mark = "\"type\":null";
    std::string dense;
    for (char c : specification)
        if (c != ' ')
            dense += c;
    int64_t count = 0;
    for (size_t at = dense.find(mark); at != std::string::npos; at = dense.find(mark, at + mark.size()))
        ++count;
    return count;
}

class Package final : public surrogate_program {
  public:
    // One runner, without its locks: libsurrogate serialises all calls on a program, and CUDA graphs allow no other.
    Package(const char *path, c10::Device device, const Options &options)
        : surrogate_program(device, options), loader_(path, "model", true, 1, device.is_cuda() ? device.index() : -1) {
        const std::vector<std::string> specification = loader_.get_call_spec();
        expected_inputs_ = specification.empty() ? 0 : leaves(specification[0]);
    }

  private:
    at::Tensor forward(std::vector<at::Tensor> &inputs) override {
        if (expected_inputs_ > 0)
            check_input_count(expected_inputs_, static_cast<int64_t>(inputs.size()));
        if (!probed_)
            probe(inputs);
        std::vector<at::Tensor> results = loader_.boxed_run(std::move(inputs));
        if (results.size() != 1)
            throw Failure(SURROGATE_ERROR_EXECUTION, "torch engine: the program returned " +
                                                         std::to_string(results.size()) +
                                                         " tensors, expected one; export the bundle again");
        return std::move(results[0]);
    }

    // Compiled code does not tell whether it writes to its inputs, and they are the caller's arrays: so the first run
    // is made twice, first on a copy that is compared afterwards, of values that no common operator leaves alone.
    void probe(std::vector<at::Tensor> &inputs) {
        std::vector<at::Tensor> copies;
        for (const at::Tensor &input : inputs)
            copies.push_back(at::linspace(-1.5, 1.75, input.numel(), input.options()).view(input.sizes()));
        std::vector<at::Tensor> given = copies;
        for (at::Tensor &tensor : given)
            tensor = tensor.clone();
        std::vector<at::Tensor> handed = given;
        loader_.boxed_run(std::move(handed));
        for (size_t i = 0; i < copies.size(); ++i)
            writes_input_ = writes_input_ || !at::equal(copies[i], given[i]);
        if (writes_input_)
            for (at::Tensor &input : inputs)
                input = input.clone();
        probed_ = true;
    }

    Loader loader_;
    int64_t expected_inputs_ = 0; // 0: unknown
    bool probed_ = false;
};

} // namespace

std::unique_ptr<surrogate_program> load_aoti(const surrogate_engine_load &request, const Options &options) {
    if (request.path == nullptr)
        throw Failure(SURROGATE_ERROR_UNSUPPORTED,
                      "torch engine: an AOTInductor package can be opened from disk only, because its code is a shared "
                      "library; use a bundle in a folder, or `surrogate lower` on this machine");
    const Quiet quiet;
    const c10::InferenceMode inference;
    const c10::Device device = device_of(request);
    const c10::OptionalDeviceGuard current(device.is_cuda() ? std::make_optional(device) : std::nullopt);
    return std::make_unique<Package>(request.path, device, options);
}

} // namespace surrogate_torch
