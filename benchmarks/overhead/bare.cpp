// The loops that surrogate_predict is measured against: from_blob, forward, memcpy, as a careful user would write them.
#include "bare.h"

#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

struct bare_model {
    virtual ~bare_model() = default;
    virtual at::Tensor forward(at::Tensor input) = 0;
};

namespace {

struct Script final : bare_model {
    explicit Script(const std::string &path) : module(torch::jit::load(path)) { module.eval(); }
    at::Tensor forward(at::Tensor input) override {
        inputs.clear();
        inputs.emplace_back(std::move(input));
        return module.forward(inputs).toTensor();
    }
    torch::jit::Module module;
    std::vector<c10::IValue> inputs;
};

struct Package final : bare_model {
    explicit Package(const std::string &path) : loader(path, "model", true) {} // one thread, without locks
    at::Tensor forward(at::Tensor input) override {
        std::vector<at::Tensor> inputs;
        inputs.push_back(std::move(input));
        return std::move(loader.boxed_run(std::move(inputs))[0]);
    }
    torch::inductor::AOTIModelPackageLoader loader;
};

bool ends_with(const std::string &path, const std::string &end) {
    return path.size() >= end.size() && path.compare(path.size() - end.size(), end.size(), end) == 0;
}

} // namespace

extern "C" bare_model *bare_open(const char *path) {
    try {
        const c10::InferenceMode inference;
        if (ends_with(path, ".pt2"))
            return new Package(path);
        return new Script(path);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "bare_open: %s\n", error.what());
        return nullptr;
    }
}

extern "C" void bare_run(bare_model *model, float *output, float *input, const int64_t *shape) {
    const c10::InferenceMode inference;
    const at::Tensor result = model->forward(at::from_blob(input, at::IntArrayRef(shape, 4), at::kFloat)).contiguous();
    std::memcpy(output, result.const_data_ptr<float>(), static_cast<size_t>(result.numel()) * sizeof(float));
}

extern "C" void bare_close(bare_model *model) {
    delete model;
}
