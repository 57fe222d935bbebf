// The example pair of a bundle: it warms the program up at open, and tells whether it still is the same program.
#include "model.h"

#include "error.h"

#include <algorithm>
#include <cmath>

namespace surrogate::core {

namespace {

surrogate_tensor tensor(Tensor &from) {
    surrogate_tensor to{};
    to.data = from.values.data();
    to.dtype = SURROGATE_FLOAT32;
    to.rank = static_cast<std::int32_t>(from.shape.size());
    std::copy(from.shape.begin(), from.shape.end(), to.shape);
    return to;
}

Tensor zeros(std::vector<std::int64_t> shape) {
    std::int64_t count = 1;
    for (const auto n : shape)
        if (__builtin_mul_overflow(count, n, &count) || count > (std::int64_t{1} << 40))
            fail(SURROGATE_ERROR_CORRUPT,
                 "manifest.json: grid: the smallest admissible grid has more cells than any "
                 "memory holds: ",
                 list_text(shape.data(), static_cast<int>(shape.size())));
    return {std::move(shape), std::vector<float>(static_cast<std::size_t>(count))};
}

Tensor take(std::map<std::string, Tensor> &tensors, const char *name, const std::vector<std::int64_t> &expected,
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

} // namespace

void Model::read_example() {
    if (manifest_.example.empty())
        return;
    const std::string label = bundle_.label() + ": " + manifest_.example;
    auto tensors = read_safetensors(bundle_.read_checked(manifest_.example), label);
    std::vector<std::int64_t> shape = {1, manifest_.input_channels};
    shape.resize(2 + static_cast<std::size_t>(manifest_.grid.rank), -1);
    example_ = take(tensors, "input", shape, label);
    shape = example_.shape;
    shape[1] = manifest_.output_channels;
    expected_ = take(tensors, "expected", shape, label);
    if (const auto count = static_cast<std::int64_t>(manifest_.parameters.size()))
        example_parameters_ = take(tensors, "parameters", {1, count}, label);
}

/// Run once on the example, or on zeros of the smallest grid: what a program does only in its first run is then done.
void Model::warm_up() {
    Tensor state, values;
    const bool given = !example_.values.empty();
    if (!given) {
        const Grid &grid = manifest_.grid;
        std::vector<std::int64_t> shape = {1, manifest_.input_channels};
        for (int k = 0; k < grid.rank; ++k) {
            const std::int64_t least = std::max(grid.minimum_shape[k], grid.multiple_of[k]), m = grid.multiple_of[k];
            shape.push_back(grid.fixed ? grid.fixed_shape[k] : (least - 1) / m * m + m);
        }
        state = zeros(std::move(shape));
        values.shape = {1, static_cast<std::int64_t>(manifest_.parameters.size())};
        for (const auto &parameter : manifest_.parameters)
            values.values.push_back(static_cast<float>(parameter.preset));
    }
    const surrogate_tensor inputs[2] = {tensor(given ? example_ : state), tensor(given ? example_parameters_ : values)};
    const int count = manifest_.parameters.empty() ? 1 : 2;
    run_checked(inputs, count, nullptr);
}

surrogate_verification Model::replay() {
    if (example_.values.empty())
        fail(SURROGATE_ERROR_UNSUPPORTED, bundle_.label(),
             ": the bundle has no example to replay; export it again with one");
    const surrogate_tensor inputs[2] = {tensor(example_), tensor(example_parameters_)};
    const float *found = run_checked(inputs, manifest_.parameters.empty() ? 1 : 2, nullptr);
    surrogate_verification result{};
    for (std::size_t i = 0; i < expected_.values.size(); ++i) {
        const double difference = std::abs(double{found[i]} - double{expected_.values[i]});
        if (!(difference <= result.largest_difference)) // NaN is the largest of all, and stays
            result.largest_difference = difference;
        if (std::isnan(difference))
            break;
    }
    result.tolerance = manifest_.tolerance;
    result.passed = result.largest_difference <= result.tolerance;
    return result;
}

surrogate_verification Model::verify() {
    const std::lock_guard<std::mutex> lock(mutex_);
    bundle_.check_all();
    return replay();
}

} // namespace surrogate::core
