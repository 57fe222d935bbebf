#include "program_inputs.h"

#include "error.h"

#include <algorithm>

namespace surrogate::core {

namespace {

surrogate_tensor tensor(const float *data, std::initializer_list<std::int64_t> lead, const std::int64_t *shape,
                        int rank) {
    surrogate_tensor t{};
    t.data = const_cast<float *>(data); // engines only read their inputs
    t.dtype = SURROGATE_FLOAT32;
    t.rank = static_cast<std::int32_t>(lead.size()) + rank;
    std::copy(lead.begin(), lead.end(), t.shape);
    if (shape)
        std::copy(shape, shape + rank, t.shape + lead.size());
    return t;
}

} // namespace

ProgramInputs::ProgramInputs(const Manifest &manifest) : manifest_(manifest), noise_(manifest.noise.size()) {
    tensors_.reserve(2 + manifest.noise.size());
}

void ProgramInputs::prepare(const surrogate_step_options &step, const std::int64_t *shape, std::int64_t batch,
                            std::int64_t &allocations) {
    prepare_parameters(step, batch, allocations);
    if (manifest_.noise.empty())
        return;
    key_ = read_noise_key(step);
    domain_ = read_domain(step, manifest_.grid.rank, shape);
}

void ProgramInputs::prepare_parameters(const surrogate_step_options &step, std::int64_t batch,
                                       std::int64_t &allocations) {
    const auto &known = manifest_.parameters;
    if (step.parameters && step.parameter_count != known.size())
        fail(SURROGATE_ERROR_PARAMETER, "step.parameter_count ", step.parameter_count, " given, expected ",
             known.size(), known.empty() ? ": this model has no parameters" : ", one value for each parameter");
    const auto count = static_cast<std::int64_t>(known.size());
    float *values = count ? parameters_.get(batch * count, allocations) : nullptr;
    for (std::size_t p = 0; p < known.size(); ++p) {
        const double value = step.parameters ? step.parameters[p] : known[p].preset;
        if (!(value >= known[p].lower && value <= known[p].upper))
            fail(SURROGATE_ERROR_PARAMETER, "parameter '", known[p].name, "': ", value, " given, expected ",
                 known[p].lower, " to ", known[p].upper, unit_suffix(known[p].unit),
                 ", the range that the model was trained in");
        for (std::int64_t b = 0; b < batch; ++b)
            values[b * count + static_cast<std::int64_t>(p)] = static_cast<float>(value);
    }
}

const std::vector<surrogate_tensor> &ProgramInputs::fill(const float *packed, const std::int64_t *shape,
                                                         std::int64_t batch, const Draws &draws,
                                                         std::int64_t &allocations) {
    const int rank = manifest_.grid.rank;
    const std::int64_t cells = shape[0] * shape[1] * shape[2];
    tensors_.clear();
    tensors_.push_back(tensor(packed, {batch, manifest_.history * manifest_.input_channels}, shape, rank));
    if (const auto count = static_cast<std::int64_t>(manifest_.parameters.size()))
        tensors_.push_back(tensor(parameters_.get(batch * count, allocations), {batch, count}, nullptr, 0));
    for (std::size_t n = 0; n < noise_.size(); ++n) {
        const std::int64_t channels = manifest_.noise[n].channels, size = channels * cells;
        float *values = noise_[n].get(batch * size, allocations);
        for (std::int64_t b = 0; b < batch; ++b) {
            Domain domain = domain_;
            if (draws.origins)
                std::copy(draws.origins + b * rank, draws.origins + (b + 1) * rank, domain.origin);
            fill_noise(values + b * size, key_, static_cast<std::uint64_t>(draws.member + b * draws.next), n, channels,
                       shape, domain);
        }
        tensors_.push_back(tensor(values, {batch, channels}, shape, rank));
    }
    return tensors_;
}

} // namespace surrogate::core
