#include "engine_pass.h"

#include "error.h"

#include <algorithm>

namespace surrogate::core {

EnginePass::EnginePass(const Manifest &manifest, const GuardSpec &guards) : manifest_(manifest), guards_(guards) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (std::size_t f = 0; f < manifest.fields.size(); ++f) {
        const FieldSpec &field = manifest.fields[f];
        for (int component = 0; component < field.components; ++component) {
            const auto c = static_cast<std::size_t>(component);
            const auto channel = static_cast<std::int32_t>(source_.size());
            surrogate_engine_source source{};
            source.mean = field.mean[c];
            source.inverse = 1.0 / field.deviation[c];
            source.trained_lower = -infinity;
            source.trained_upper = infinity;
            source_.push_back(source);
            read_.push_back({f, component});
            if (field.prediction == Prediction::none)
                continue;
            surrogate_engine_target target{};
            target.source = channel;
            target.increment = field.prediction == Prediction::increment;
            target.offset = field.offset[c];
            target.scale = field.scale[c];
            target_.push_back(target);
            written_.push_back({f, component});
        }
    }
    source_sums_.resize(source_.size());
    target_sums_.resize(target_.size());
    layout_.rank = manifest.grid.rank;
    layout_.sources = source_.data();
    layout_.source_count = static_cast<std::int32_t>(source_.size());
    layout_.targets = target_.data();
    layout_.target_count = static_cast<std::int32_t>(target_.size());
    layout_.finite = guards.finite;
}

/// Bounds in the caller's precision, on their inner side, so that comparing there decides as in double.
template <class T> void EnginePass::set_limits() {
    const auto set = [this](auto &channel, const Place &place) {
        channel.lower = static_cast<double>(inward<T>(guards_.bounds[place.field].lower, +1));
        channel.upper = static_cast<double>(inward<T>(guards_.bounds[place.field].upper, -1));
    };
    for (std::size_t c = 0; c < source_.size(); ++c)
        set(source_[c], read_[c]);
    for (std::size_t c = 0; c < target_.size(); ++c)
        set(target_[c], written_[c]);
}

const surrogate_engine_layout &EnginePass::describe(const State &output, const State &input) {
    const auto place = [](auto &to, const Channel &from) {
        to.data = from.data;
        to.batch_stride = from.batch_stride;
        std::copy(from.strides, from.strides + 3, to.strides);
    };
    if (layout_.dtype != input.dtype)
        input.dtype == SURROGATE_FLOAT32 ? set_limits<float>() : set_limits<double>();
    layout_.dtype = input.dtype;
    layout_.memory = input.memory;
    layout_.device = input.device;
    layout_.batch = input.batch;
    std::copy(input.shape, input.shape + 3, layout_.shape);
    for (std::size_t c = 0; c < source_.size(); ++c)
        place(source_[c], input.channels[c]);
    for (auto &target : target_)
        place(target, output.channels[static_cast<std::size_t>(target.source)]);
    return layout_;
}

/// The offence that comes first in the order in which the host's passes look: by state, then channel, then cell.
std::optional<Offence> EnginePass::offence(const std::vector<surrogate_engine_sums> &sums,
                                           const std::vector<Place> &places, Role role, const State &input) const {
    const std::int64_t cells = input.cells();
    std::size_t first = sums.size();
    for (std::size_t c = 0; c < sums.size(); ++c)
        if (sums[c].offender >= 0 && (first == sums.size() || sums[c].offender / cells < sums[first].offender / cells))
            first = c;
    if (first == sums.size())
        return std::nullopt;
    const Place &place = places[first];
    Offence found;
    found.value = sums[first].offending;
    found.reason = core::judge(found.value, guards_, place.field, role);
    if (found.reason == SURROGATE_REASON_NONE) // finite, but not once normalised
        found.reason = SURROGATE_REASON_INPUT_NOT_FINITE;
    found.field = static_cast<int>(place.field);
    found.component = place.component;
    found.bounds = guards_.bounds[place.field];
    std::int64_t cell = sums[first].offender % cells;
    found.batch = sums[first].offender / cells;
    for (int k = 2; k >= 0; --k) {
        found.cell[k] = cell % input.shape[k];
        cell /= input.shape[k];
    }
    return found;
}

std::optional<Offence> EnginePass::judge(const State &input) const {
    const auto refused = offence(source_sums_, read_, Role::input, input);
    return refused ? refused : offence(target_sums_, written_, Role::output, input);
}

} // namespace surrogate::core
