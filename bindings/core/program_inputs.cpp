#include "program_inputs.h"

#include "caption.h"
#include "error.h"

#include <algorithm>
#include <cmath>

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
    for (const Parameter &parameter : manifest.parameters)
        row_.push_back(parameter.preset);
    row_.resize(static_cast<std::size_t>(manifest.parameter_columns()));
}

void ProgramInputs::prepare(const surrogate_step_options &step, const std::int64_t *shape, std::int64_t batch,
                            std::int64_t &allocations) {
    prepare_parameters(step, batch, allocations);
    if (manifest_.noise.empty())
        return;
    key_ = read_noise_key(step);
    domain_ = read_domain(step, manifest_.grid.rank, shape);
}

/// How many of the scalar parameters `step.parameters` holds; fails where they do not fit the manifest and guidance.
std::size_t ProgramInputs::given_parameters(const surrogate_step_options &step) const {
    const bool guided = manifest_.sampler.guided, guidance = !std::isnan(step.guidance);
    const std::size_t known = manifest_.parameters.size(), given = step.parameters ? step.parameter_count : 0;
    if (guidance && !guided)
        fail(SURROGATE_ERROR_PARAMETER, "step.guidance ", step.guidance, " given, but '", manifest_.name,
             "' has no guidance (surrogate_info.largest_guidance is 0); leave it NaN");
    if (!step.parameters || (guided && given + 1 == known))
        return given;
    if (given != known)
        fail(SURROGATE_ERROR_PARAMETER, "step.parameter_count ", given, " given, expected ", known,
             known == 0 ? ": this model has no parameters" : ", one value for each parameter",
             guided ? text(", or ", known - 1, " without guidance") : "");
    if (guidance)
        fail(SURROGATE_ERROR_PARAMETER, "step.guidance ", step.guidance, " given, and as the last of step.parameters, ",
             step.parameters[known - 1], "; give it once");
    return given;
}

void ProgramInputs::prepare_parameters(const surrogate_step_options &step, std::int64_t batch,
                                       std::int64_t &allocations) {
    const auto &known = manifest_.parameters;
    const std::size_t given = given_parameters(step);
    for (std::size_t p = 0; p < known.size(); ++p) {
        const bool guidance = p + 1 == known.size() && !std::isnan(step.guidance);
        const double value = guidance ? step.guidance : p < given ? step.parameters[p] : known[p].preset;
        if (!(value >= known[p].lower && value <= known[p].upper))
            fail(SURROGATE_ERROR_PARAMETER, "parameter '", known[p].name, "': ", value, " given, expected ",
                 known[p].lower, " to ", known[p].upper, unit_suffix(known[p].unit),
                 ", the range that the model was trained in");
        row_[p] = value;
    }
    if (manifest_.text.length)
        write_tokens(row_.data() + known.size(), step.caption, manifest_.text);
    else if (step.caption && *step.caption)
        fail(SURROGATE_ERROR_PARAMETER, "a caption given, but '", manifest_.name,
             "' was not trained on captions (surrogate_info.caption_length is 0); leave it NULL");
    if (row_.empty())
        return;
    float *values = parameters_.get(batch * static_cast<std::int64_t>(row_.size()), allocations);
    for (std::int64_t b = 0; b < batch; ++b)
        values =
            std::transform(row_.begin(), row_.end(), values, [](double value) { return static_cast<float>(value); });
}

const std::vector<surrogate_tensor> &ProgramInputs::fill(const float *packed, const std::int64_t *shape,
                                                         std::int64_t batch, const Draws &draws,
                                                         std::int64_t &allocations) {
    const int rank = manifest_.grid.rank;
    const std::int64_t cells = shape[0] * shape[1] * shape[2];
    tensors_.clear();
    tensors_.push_back(tensor(packed, {batch, manifest_.history * manifest_.input_channels}, shape, rank));
    if (const std::int64_t count = manifest_.parameter_columns())
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
