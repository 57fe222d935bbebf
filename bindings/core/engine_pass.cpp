#include "engine_pass.h"

#include <algorithm>

namespace surrogate::core {

EnginePass::EnginePass(const Manifest &manifest, const GuardSpec &guards)
    : manifest_(manifest), guards_(guards), channels_(static_cast<std::size_t>(manifest.input_channels)) {
    for (std::size_t f = 0; f < manifest.fields.size(); ++f)
        for (int c = 0; c < manifest.fields[f].components; ++c)
            add_channel(f, c);
    for (int frame = 1; frame < manifest.history; ++frame) // the older frames' channels are as the newest's
        for (std::size_t k = 0; k < channels_; ++k)
            source_.push_back(source_[k]);
    layout_.rank = manifest.grid.rank;
    layout_.sources = source_.data();
    layout_.source_count = static_cast<std::int32_t>(source_.size());
    layout_.targets = target_.data();
    layout_.target_count = static_cast<std::int32_t>(target_.size());
    layout_.finite = guards.finite;
    layout_.moments = guards.range_share || guards.distance || guards.tolerance || guards.jump ||
                      guards.policy(Guard::conserved) == Policy::project;
}

void EnginePass::add_channel(std::size_t field, int component) {
    const FieldSpec &spec = manifest_.fields[field];
    const auto c = static_cast<std::size_t>(component);
    const std::size_t channel = source_.size();
    surrogate_engine_source source{};
    source.mean = spec.mean[c];
    source.inverse = 1.0 / spec.deviation[c];
    source_.push_back(source);
    read_.push_back({field, channel, component});
    if (!spec.predicted())
        return;
    surrogate_engine_target target{};
    target.source = static_cast<std::int32_t>(channel);
    target.increment = spec.prediction == Prediction::increment;
    target.offset = spec.offset[c];
    target.scale = spec.scale[c];
    target.clip = guards_.policy(Guard::bounds) == Policy::clip;
    target_.push_back(target);
    written_.push_back({field, channel, component});
}

/// Bounds in the caller's precision, on their inner side, so that comparing there decides as in double.
template <class T> void EnginePass::set_limits() {
    const auto inside = [](const Bounds &bounds, double &lower, double &upper) {
        lower = static_cast<double>(inward<T>(bounds.lower, +1));
        upper = static_cast<double>(inward<T>(bounds.upper, -1));
    };
    for (std::size_t k = 0; k < source_.size(); ++k) {
        const Place &place = read_[k % channels_];
        const FieldSpec &field = manifest_.fields[place.field];
        const bool ranged = guards_.range_share && !field.trained_range.empty();
        inside(guards_.bounds[place.field], source_[k].lower, source_[k].upper);
        inside(ranged ? field.trained_range[static_cast<std::size_t>(place.component)] : Bounds(),
               source_[k].trained_lower, source_[k].trained_upper);
    }
    for (std::size_t k = 0; k < target_.size(); ++k)
        inside(guards_.bounds[written_[k].field], target_[k].lower, target_[k].upper);
}

void EnginePass::resize(std::int64_t batch) {
    source_sums_.resize(source_.size() * static_cast<std::size_t>(batch));
    target_sums_.resize(target_.size() * static_cast<std::size_t>(batch));
    shifts_.resize(target_sums_.size());
}

const surrogate_engine_layout &EnginePass::describe(const State &output, const std::vector<State> &frames) {
    const auto place = [](auto &to, const Channel &from) {
        to.data = from.data;
        to.batch_stride = from.batch_stride;
        std::copy(from.strides, from.strides + 3, to.strides);
    };
    const State &input = frames.front();
    if (layout_.dtype != input.dtype)
        input.dtype == SURROGATE_FLOAT32 ? set_limits<float>() : set_limits<double>();
    layout_.dtype = input.dtype;
    layout_.memory = input.memory;
    layout_.device = input.device;
    layout_.batch = input.batch;
    layout_.shifts = nullptr;
    std::copy(input.shape, input.shape + 3, layout_.shape);
    resize(input.batch);
    for (std::size_t k = 0; k < source_.size(); ++k)
        place(source_[k], frames[k / channels_].channels[k % channels_]);
    for (auto &target : target_)
        place(target, output.channels[static_cast<std::size_t>(target.source)]);
    return layout_;
}

void EnginePass::add_to(Tally &tally) const {
    const auto cells = static_cast<double>(layout_.shape[0] * layout_.shape[1] * layout_.shape[2]);
    for (std::int64_t b = 0; b < tally.batch(); ++b) {
        const surrogate_engine_sums *read = &source_sums_[static_cast<std::size_t>(b) * source_.size()];
        for (std::size_t k = 0; k < source_.size(); ++k) {
            ChannelSums &sums = tally.at(b, k % channels_);
            sums.input_not_finite += read[k].not_finite;
            sums.input_out_of_bounds += read[k].out_of_bounds;
            if (k >= channels_)
                continue; // an older frame
            sums.cells = cells;
            sums.outside = read[k].outside;
            sums.first = read[k].sum;
            sums.second = read[k].square;
            sums.absolute = read[k].absolute;
        }
        const surrogate_engine_sums *written = &target_sums_[static_cast<std::size_t>(b) * target_.size()];
        for (std::size_t k = 0; k < target_.size(); ++k) {
            ChannelSums &sums = tally.at(b, written_[k].channel);
            sums.output_not_finite = written[k].not_finite;
            sums.output_out_of_bounds = written[k].out_of_bounds;
            sums.clipped = target_[k].clip ? written[k].outside : 0.0;
            sums.change = written[k].sum;
            sums.change_square = written[k].square;
        }
    }
}

void EnginePass::locate(Offence &offence, Role role) const {
    if (offence.reason > SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS)
        return; // made of sums: no cell broke it
    const auto &places = role == Role::input ? read_ : written_;
    const auto &sums = role == Role::input ? source_sums_ : target_sums_;
    const std::size_t per_state = role == Role::input ? source_.size() : target_.size();
    for (std::size_t k = 0; k < per_state; ++k) {
        const Place &place = places[k % places.size()];
        const auto &found = sums[static_cast<std::size_t>(offence.batch) * per_state + k];
        if (static_cast<int>(place.field) != offence.field || place.component != offence.component ||
            found.offender < 0)
            continue;
        offence.located = true;
        offence.frame = static_cast<int>(k / places.size());
        offence.value = found.offending;
        std::int64_t cell = found.offender;
        for (int axis = 2; axis >= 0; --axis) {
            offence.cell[axis] = cell % layout_.shape[axis];
            cell /= layout_.shape[axis];
        }
        return;
    }
}

const surrogate_engine_layout &EnginePass::with_shifts(const Tally &totals) {
    const bool project = guards_.policy(Guard::conserved) == Policy::project;
    for (std::int64_t b = 0; project && b < layout_.batch; ++b)
        for (std::size_t k = 0; k < target_.size(); ++k) {
            const bool conserved = manifest_.fields[written_[k].field].conserved;
            shifts_[static_cast<std::size_t>(b) * target_.size() + k] =
                conserved ? -totals.at(b, written_[k].channel).mean_change() : 0.0;
        }
    layout_.shifts = project ? shifts_.data() : nullptr;
    return layout_;
}

} // namespace surrogate::core
