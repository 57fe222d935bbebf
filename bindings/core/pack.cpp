#include "pack.h"

#include "error.h"
#include "kernels.h"
#include "rows.h"
#include "sums.h"

#include <algorithm>
#include <cmath>

namespace surrogate::core {

// A finite value whose normalised form is no float32 would reach the program as infinity: it is refused as well.
constexpr double LARGEST_NORMALISED = 3.4e38;

/// Largest |value| of a channel that is still finite after normalisation.
static Bounds representable(const FieldSpec &field, std::size_t c) {
    return {field.mean[c] - field.deviation[c] * LARGEST_NORMALISED,
            field.mean[c] + field.deviation[c] * LARGEST_NORMALISED};
}

template <class T>
InputPass::Step<T> InputPass::step(const FieldSpec &field, std::size_t index, std::size_t component) const {
    const Bounds trained = field.trained_range.empty() ? Bounds() : field.trained_range[component];
    Step<T> step{static_cast<T>(field.mean[component]),
                 static_cast<T>(1.0 / field.deviation[component]),
                 limits<T>(guards_, index, Role::input),
                 {inward<T>(trained.lower, +1), inward<T>(trained.upper, -1), true}};
    if (guards_.finite) {
        const Bounds range = representable(field, component);
        step.limits.lower = std::max(step.limits.lower, inward<T>(range.lower, +1));
        step.limits.upper = std::min(step.limits.upper, inward<T>(range.upper, -1));
    }
    return step;
}

InputPass::Sums InputPass::sums(const FieldSpec &field, std::size_t index, std::size_t component) const {
    const bool outside = guards_.range_share && !field.trained_range.empty();
    const bool moments = guards_.distance && !field.trained_mean.empty();
    const bool absolute = guards_.tolerance && field.conserved && field.predicted() &&
                          guards_.policy(Guard::conserved) != Policy::project;
    return {index, component, moments || absolute, outside, absolute, field.mean[component]};
}

InputPass::InputPass(const Manifest &manifest, const GuardSpec &guards)
    : manifest_(manifest), guards_(guards),
      keeps_(guards.policy(Guard::finite) == Policy::keep || guards.policy(Guard::bounds) == Policy::keep) {
    for (std::size_t f = 0; f < manifest.fields.size(); ++f)
        for (std::size_t c = 0; c < manifest.fields[f].mean.size(); ++c) {
            single_.push_back(step<float>(manifest.fields[f], f, c));
            double_.push_back(step<double>(manifest.fields[f], f, c));
            sums_.push_back(sums(manifest.fields[f], f, c));
            identity_ = identity_ && manifest.fields[f].mean[c] == 0.0 && manifest.fields[f].deviation[c] == 1.0;
        }
}

bool InputPass::in_place(const State &input) const {
    if (!identity_ || input.dtype != SURROGATE_FLOAT32)
        return false;
    std::int64_t dense[3];
    dense_float_strides(dense, input.shape);
    const std::int64_t plane = input.cells() * static_cast<std::int64_t>(sizeof(float));
    const auto count = static_cast<std::int64_t>(input.channels.size());
    const char *expected = input.channels[0].data;
    for (const Channel &channel : input.channels) {
        if (channel.data != expected || (input.batch > 1 && channel.batch_stride != plane * count))
            return false;
        for (int k = 0; k < 3; ++k)
            if (input.shape[k] > 1 && channel.strides[k] != dense[k])
                return false;
        expected += plane;
    }
    return true;
}

/// One channel of one state: check every value, write the normalised ones where `to` is not NULL, and sum. Rows are
/// cut where sums are taken, so that what was read once is summed from the cache. stops: at a row with a value beyond
/// its limits.
template <class T>
bool InputPass::run_channel(const Channel &channel, const char *from, const std::int64_t *shape, const Step<T> &step,
                            const Sums &sums, bool stops, ChannelSums &totals, Bounds &all, float *to) const {
    std::int64_t dense[3];
    dense_float_strides(dense, shape);
    const Rows<2> rows(shape, {channel.strides, dense}, sums.any() ? LANES : 1);
    const std::int64_t stride = rows.strides[0][2] / static_cast<std::int64_t>(sizeof(T)), n = rows.length();
    const std::int64_t piece = sums.any() ? PIECE : n;
    MomentSums moments;
    Lanes absolute;
    std::int64_t outside = 0;
    bool good = true;
    constexpr T infinity = std::numeric_limits<T>::infinity();
    Range<T> range{infinity, -infinity};
    rows.each([&](const std::int64_t(&offset)[2]) {
        const T *x = reinterpret_cast<const T *>(from + offset[0]);
        float *row = to ? to + offset[1] / static_cast<std::int64_t>(sizeof(float)) : nullptr;
        for (std::int64_t i = 0; i < n; i += piece, x += piece * stride) {
            const std::int64_t m = std::min(piece, n - i);
            const bool ranged = step.limits.checked || sums.outside;
            const Range<T> found = row      ? pack_row(row + i, x, stride, m, step.mean, step.inverse)
                                   : ranged ? range_of(x, stride, m)
                                            : Range<T>{-infinity, infinity};
            good &= !step.limits.checked || found.within(step.limits.lower, step.limits.upper);
            range.lower = std::min(range.lower, found.lower);
            range.upper = std::max(range.upper, found.upper);
            if (sums.absolute)
                add_magnitude(x, stride, m, sums.centre, moments, absolute);
            else if (sums.moments)
                add_moments(x, stride, m, sums.centre, moments);
            if (sums.outside && !found.within(step.range.lower, step.range.upper))
                outside += count_outside(x, stride, m, step.range.lower, step.range.upper);
        }
        return good || !stops;
    });
    if (sums.any()) {
        totals.first = moments.first.total();
        totals.second = moments.second.total();
        totals.outside = static_cast<double>(outside);
        totals.absolute = absolute.total();
    }
    if (good && step.limits.checked) // then there is no NaN
        all = {static_cast<double>(range.lower), static_cast<double>(range.upper)};
    return good;
}

/// All channels of one frame, leaving `gap` floats after each state. Sums are those of the newest frame; values that
/// are refused count in any. Whether none is refused; stops: at the channel of the first that is.
template <class T>
bool InputPass::run_channels(const State &input, const std::vector<Step<T>> &steps, bool newest, bool stops,
                             Tally &tally, float *to, std::int64_t gap) const {
    const auto cells = static_cast<double>(input.cells());
    bool accepted = true;
    for (std::int64_t b = 0; b < input.batch; ++b, to = to ? to + gap : nullptr)
        for (std::size_t c = 0; c < steps.size(); ++c) {
            const Channel &channel = input.channels[c];
            ChannelSums &totals = tally.at(b, c);
            totals.cells = cells;
            const char *from = channel.data + b * channel.batch_stride;
            Bounds older, &range = newest ? tally.range(b, c) : older;
            const Sums sums = newest ? sums_[c] : Sums{};
            const bool stops_early = stops && !keeps_ && !sums.any();
            if (!run_channel(channel, from, input.shape, steps[c], sums, stops_early, totals, range, to) &&
                refuses(totals, input, b, c)) {
                if (stops)
                    return false;
                accepted = false;
            }
            if (to)
                to += input.cells();
        }
    return accepted;
}

/// Count what is wrong with a channel that holds a value beyond its limits; whether that ends the call.
bool InputPass::refuses(ChannelSums &totals, const State &input, std::int64_t batch, std::size_t channel) const {
    const auto count = [&](int reason) {
        return count_cells(
            input.shape, [&](const std::int64_t *cell) { return value(input, batch, channel, cell); },
            [&](double found) { return judge_value(found, channel); }, reason);
    };
    totals.input_not_finite += count(SURROGATE_REASON_INPUT_NOT_FINITE);
    totals.input_out_of_bounds += count(SURROGATE_REASON_INPUT_OUT_OF_BOUNDS);
    return (totals.input_not_finite > 0 && guards_.policy(Guard::finite) != Policy::keep) ||
           (totals.input_out_of_bounds > 0 && guards_.policy(Guard::bounds) != Policy::keep);
}

InputPass::Result InputPass::run(const std::vector<State> &frames, Tally &tally, Buffer &buffer,
                                 std::int64_t &allocations) const {
    const State &newest = frames.front();
    if (frames.size() == 1 && in_place(newest)) {
        const bool accepted = run_channels<float>(newest, single_, true, true, tally, nullptr, 0);
        return {accepted ? reinterpret_cast<const float *>(newest.channels[0].data) : nullptr, false};
    }
    const auto channels = static_cast<std::int64_t>(frames.size() * newest.channels.size());
    float *to = buffer.get(newest.batch * channels * newest.cells(), allocations);
    return {run_frames(frames, true, tally, to) ? to : nullptr, true};
}

void InputPass::run_whole(const std::vector<State> &frames, Tally &tally, float *to) const {
    run_frames(frames, false, tally, to);
}

/// All frames to `to` (B, frames * C, cells), as run_channels.
bool InputPass::run_frames(const std::vector<State> &frames, bool stops, Tally &tally, float *to) const {
    const State &newest = frames.front();
    const std::int64_t state = newest.cells() * static_cast<std::int64_t>(newest.channels.size());
    const auto count = static_cast<std::int64_t>(frames.size());
    bool accepted = true;
    for (std::int64_t k = 0; k < count && (accepted || !stops); ++k) {
        const State &frame = frames[static_cast<std::size_t>(k)];
        float *at = to + k * state;
        const std::int64_t gap = (count - 1) * state;
        const bool good = frame.dtype == SURROGATE_FLOAT32
                              ? run_channels<float>(frame, single_, k == 0, stops, tally, at, gap)
                              : run_channels<double>(frame, double_, k == 0, stops, tally, at, gap);
        accepted = accepted && good;
    }
    return accepted;
}

double InputPass::value(const State &input, std::int64_t batch, std::size_t channel, const std::int64_t *cell) const {
    return input.dtype == SURROGATE_FLOAT32
               ? static_cast<double>(cell_value<float>(input.channels[channel], batch, cell))
               : cell_value<double>(input.channels[channel], batch, cell);
}

int InputPass::judge_value(double found, std::size_t channel) const {
    const Sums &part = sums_[channel];
    const Bounds range = representable(manifest_.fields[part.field], part.component);
    const int reason = judge(found, guards_, part.field, Role::input);
    const bool fits = found >= range.lower && found <= range.upper;
    return reason || fits || !guards_.finite ? reason : int{SURROGATE_REASON_INPUT_NOT_FINITE};
}

void InputPass::locate(Offence &offence, const std::vector<State> &frames) const {
    const FieldSpec &field = manifest_.fields[static_cast<std::size_t>(offence.field)];
    const auto channel = static_cast<std::size_t>(field.first_input + offence.component);
    for (std::size_t k = 0; k < frames.size(); ++k) {
        const State &frame = frames[k];
        const auto value_at = [&](const std::int64_t *cell) { return value(frame, offence.batch, channel, cell); };
        const auto judge_at = [&](double found) { return judge_value(found, channel); };
        if (find_cell(offence, frame.shape, value_at, judge_at)) {
            offence.frame = static_cast<int>(k);
            return;
        }
    }
}

} // namespace surrogate::core
