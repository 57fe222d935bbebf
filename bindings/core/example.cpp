#include "example.h"

#include "error.h"

#include <algorithm>

namespace surrogate::core {

namespace {

using Shape = std::vector<std::int64_t>;

Tensor zeros(Shape shape) {
    std::int64_t count = 1;
    for (const auto n : shape)
        if (__builtin_mul_overflow(count, n, &count) || count > (std::int64_t{1} << 40))
            fail(SURROGATE_ERROR_CORRUPT,
                 "manifest.json: grid: the smallest admissible grid has more cells than any "
                 "memory holds: ",
                 list_text(shape.data(), static_cast<int>(shape.size())));
    return {std::move(shape), std::vector<float>(static_cast<std::size_t>(count))};
}

Tensor take(std::map<std::string, Tensor> &tensors, const std::string &name, const Shape &expected,
            const std::string &label) {
    const auto found = tensors.find(name);
    if (found == tensors.end())
        fail(SURROGATE_ERROR_CORRUPT, label, ": has no tensor '", name, "'; export the bundle again");
    const auto &shape = found->second.shape;
    bool same = shape.size() == expected.size();
    for (std::size_t k = 0; same && k < shape.size(); ++k)
        same = expected[k] < 0 ? shape[k] > 0 : shape[k] == expected[k]; // -1: any size
    if (!same)
        fail(SURROGATE_ERROR_CORRUPT, label, ": tensor '", name, "' has shape ",
             list_text(shape.data(), static_cast<int>(shape.size())), ", expected ",
             list_text(expected.data(), static_cast<int>(expected.size())), " (-1: any)");
    return std::move(found->second);
}

/// (1, channels, ...) on the grid of `state`.
Shape with_channels(Shape state, std::int64_t channels) {
    state[1] = channels;
    return state;
}

std::int64_t read_channels(const Manifest &manifest) {
    return std::int64_t{manifest.history} * manifest.input_channels;
}

} // namespace

Example::Example(const Bundle &bundle) {
    const Manifest &manifest = bundle.manifest();
    if (manifest.example.empty())
        return;
    const std::string label = bundle.label() + ": " + manifest.example;
    auto tensors = read_safetensors(bundle.read_checked(manifest.example), label);
    Shape shape = {1, read_channels(manifest)};
    shape.resize(2 + static_cast<std::size_t>(manifest.grid.rank), -1);
    inputs_.push_back(take(tensors, "input", shape, label));
    shape = inputs_[0].shape;
    expected_ = take(tensors, "expected", with_channels(shape, manifest.output_channels), label);
    if (const std::int64_t count = manifest.parameter_columns())
        inputs_.push_back(take(tensors, "parameters", {1, count}, label));
    for (const Noise &noise : manifest.noise)
        inputs_.push_back(take(tensors, "noise." + noise.name, with_channels(shape, noise.channels), label));
}

std::vector<surrogate_tensor> Example::tensors_of(const std::vector<Tensor> &inputs) {
    std::vector<surrogate_tensor> result;
    for (const Tensor &from : inputs) {
        surrogate_tensor to{};
        to.data = const_cast<float *>(from.values.data()); // engines only read their inputs
        to.dtype = SURROGATE_FLOAT32;
        to.rank = static_cast<std::int32_t>(from.shape.size());
        std::copy(from.shape.begin(), from.shape.end(), to.shape);
        result.push_back(to);
    }
    return result;
}

std::vector<Tensor> blank_inputs(const Manifest &manifest) {
    const Grid &grid = manifest.grid;
    Shape shape = {1, read_channels(manifest)};
    for (int k = 0; k < grid.rank; ++k) {
        const std::int64_t least = std::max(grid.minimum_shape[k], grid.multiple_of[k]), m = grid.multiple_of[k];
        shape.push_back(grid.fixed ? grid.fixed_shape[k] : (least - 1) / m * m + m);
    }
    std::vector<Tensor> inputs = {zeros(shape)};
    if (const std::int64_t count = manifest.parameter_columns()) {
        Tensor values = zeros({1, count}); // no caption
        for (std::size_t p = 0; p < manifest.parameters.size(); ++p)
            values.values[p] = static_cast<float>(manifest.parameters[p].preset);
        inputs.push_back(std::move(values));
    }
    for (const Noise &noise : manifest.noise)
        inputs.push_back(zeros(with_channels(shape, noise.channels)));
    return inputs;
}

} // namespace surrogate::core
