// The loop that surrogate_predict is measured against: from_blob, forward, memcpy, as a careful user would write it.
#include "bare.h"

#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <cstdio>
#include <cstring>
#include <vector>

struct bare_model {
    torch::jit::Module module;
    std::vector<c10::IValue> inputs;
};

extern "C" bare_model *bare_open(const char *path) {
    try {
        auto *model = new bare_model{torch::jit::load(path), {}};
        model->module.eval();
        return model;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "bare_open: %s\n", error.what());
        return nullptr;
    }
}

extern "C" void bare_run(bare_model *model, float *output, float *input, const int64_t *shape) {
    const c10::InferenceMode inference;
    model->inputs.clear();
    model->inputs.emplace_back(at::from_blob(input, at::IntArrayRef(shape, 4), at::kFloat));
    const at::Tensor result = model->module.forward(model->inputs).toTensor().contiguous();
    std::memcpy(output, result.const_data_ptr<float>(), static_cast<size_t>(result.numel()) * sizeof(float));
}

extern "C" void bare_close(bare_model *model) {
    delete model;
}
