#include "pack.h"

#include "error.h"
#include "kernels.h"
#include "rows.h"

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
    Step<T> step{static_cast<T>(field.mean[component]), static_cast<T>(1.0 / field.deviation[component]),
                 limits<T>(guards_, index)};
    if (guards_.finite) {
        const Bounds range = representable(field, component);
        step.limits.lower = std::max(step.limits.lower, inward<T>(range.lower, +1));
        step.limits.upper = std::min(step.limits.upper, inward<T>(range.upper, -1));
    }
    return step;
}

InputPass::InputPass(const Manifest &manifest, const GuardSpec &guards) : manifest_(manifest), guards_(guards) {
    for (std::size_t f = 0; f < manifest.fields.size(); ++f)
        for (std::size_t c = 0; c < manifest.fields[f].mean.size(); ++c) {
            single_.push_back(step<float>(manifest.fields[f], f, c));
            double_.push_back(step<double>(manifest.fields[f], f, c));
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

/// Check every value, and write the normalised ones where `to` is not NULL, leaving `gap` floats after each state.
template <class T>
bool InputPass::run_channels(const State &input, const std::vector<Step<T>> &steps, float *to, std::int64_t gap) const {
    std::int64_t dense[3];
    dense_float_strides(dense, input.shape);
    for (std::int64_t b = 0; b < input.batch; ++b, to = to ? to + gap : nullptr)
        for (std::size_t c = 0; c < steps.size(); ++c) {
            const Channel &channel = input.channels[c];
            const Step<T> step = steps[c];
            const char *from = channel.data + b * channel.batch_stride;
            const Rows<2> rows(input.shape, {channel.strides, dense});
            const std::int64_t stride = rows.strides[0][2] / static_cast<std::int64_t>(sizeof(T)), n = rows.length();
            const bool accepted = rows.each([&](const std::int64_t(&offset)[2]) {
                const T *x = reinterpret_cast<const T *>(from + offset[0]);
                if (!to)
                    return !step.limits.checked || check_row(x, stride, n, step.limits.lower, step.limits.upper);
                float *row = to + offset[1] / static_cast<std::int64_t>(sizeof(float));
                return pack_row(row, x, stride, n, step.mean, step.inverse, step.limits.lower, step.limits.upper) ||
                       !step.limits.checked;
            });
            if (!accepted)
                return false;
            if (to)
                to += input.cells();
        }
    return true;
}

InputPass::Result InputPass::run(const std::vector<State> &frames, Buffer &buffer, std::int64_t &allocations) const {
    const State &newest = frames.front();
    if (frames.size() == 1 && in_place(newest)) {
        const bool accepted = run_channels<float>(newest, single_, nullptr, 0);
        return {accepted ? reinterpret_cast<const float *>(newest.channels[0].data) : nullptr, false};
    }
    const std::int64_t state = newest.cells() * static_cast<std::int64_t>(newest.channels.size());
    const auto count = static_cast<std::int64_t>(frames.size());
    float *to = buffer.get(newest.batch * count * state, allocations);
    bool accepted = true;
    for (std::int64_t k = 0; accepted && k < count; ++k) {
        const State &frame = frames[static_cast<std::size_t>(k)];
        const std::int64_t gap = (count - 1) * state;
        accepted = frame.dtype == SURROGATE_FLOAT32 ? run_channels<float>(frame, single_, to + k * state, gap)
                                                    : run_channels<double>(frame, double_, to + k * state, gap);
    }
    return {accepted ? to : nullptr, true};
}

Offence InputPass::find(const std::vector<State> &frames) const {
    Offence offence;
    for (const State &frame : frames) {
        if (find_in(offence, frame))
            return offence;
        ++offence.frame;
    }
    fail(SURROGATE_ERROR_INTERNAL, "the input changed while it was read; no other thread may write to it");
}

bool InputPass::find_in(Offence &offence, const State &input) const {
    for (std::int64_t b = 0; b < input.batch; ++b)
        for (std::size_t f = 0; f < manifest_.fields.size(); ++f)
            for (int c = 0; c < manifest_.fields[f].components; ++c) {
                const auto channel = static_cast<std::size_t>(manifest_.fields[f].first_input + c);
                const Bounds range = representable(manifest_.fields[f], static_cast<std::size_t>(c));
                const auto value = [&](const std::int64_t *cell) {
                    return input.dtype == SURROGATE_FLOAT32
                               ? static_cast<double>(cell_value<float>(input.channels[channel], b, cell))
                               : cell_value<double>(input.channels[channel], b, cell);
                };
                const auto judge_value = [&](double found) {
                    const int reason = judge(found, guards_, f, Role::input);
                    const bool fits = found >= range.lower && found <= range.upper;
                    return reason || fits || !guards_.finite ? reason : int{SURROGATE_REASON_INPUT_NOT_FINITE};
                };
                if (find_cell(offence, input.shape, value, judge_value)) {
                    offence.field = static_cast<int>(f);
                    offence.component = c;
                    offence.batch = b;
                    offence.bounds = guards_.bounds[f];
                    return true;
                }
            }
    return false;
}

} // namespace surrogate::core
