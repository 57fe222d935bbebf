#include "output.h"

#include "error.h"
#include "kernels.h"
#include "program_sums.h"
#include "rows.h"

#include <algorithm>
#include <cmath>

namespace surrogate::core {

template <> const std::vector<OutputPass::Step<float>> &OutputPass::steps<float>() const {
    return single_;
}
template <> const std::vector<OutputPass::Step<double>> &OutputPass::steps<double>() const {
    return double_;
}

template <class T> void OutputPass::add_step(std::vector<Step<T>> &steps, std::size_t field, int component) const {
    const FieldSpec &spec = manifest_.fields[field];
    const auto c = static_cast<std::size_t>(component);
    const bool projected = spec.conserved && guards_.policy(Guard::conserved) == Policy::project;
    const bool summed =
        projected || (spec.conserved && guards_.tolerance) || (guards_.jump && !spec.trained_jump.empty());
    steps.push_back({field, static_cast<std::size_t>(spec.first_input) + c, component,
                     spec.prediction == Prediction::increment, summed, projected, static_cast<T>(spec.offset[c]),
                     static_cast<T>(spec.scale[c]), limits<T>(guards_, field, Role::output),
                     clipping<T>(guards_, field)});
}

OutputPass::OutputPass(const Manifest &manifest, const GuardSpec &guards) : manifest_(manifest), guards_(guards) {
    for (std::size_t f = 0; f < manifest.fields.size(); ++f)
        for (int c = 0; c < manifest.fields[f].components; ++c)
            if (manifest.fields[f].predicted()) {
                add_step(single_, f, c);
                add_step(double_, f, c);
            }
}

/// Sums of d and d^2 with d = offset + scale * y, from those of y over n cells.
static void scale_moments(ChannelSums &totals, const MomentSums &of_y, double n, double offset, double scale) {
    const double first = of_y.first.total(), second = of_y.second.total();
    totals.change = n * offset + scale * first;
    totals.change_square = n * offset * offset + 2 * offset * scale * first + scale * scale * second;
}

/// Whether no cell can break the limits: the largest jump from the ends of the input's range keeps them, and rounding
/// is monotonic. `largest`: of the program's |y|.
template <class T> bool OutputPass::keeps_limits(const Step<T> &step, const Bounds &range, float largest) {
    const T up = step.offset + step.scale * static_cast<T>(largest);
    const T down = step.offset + step.scale * static_cast<T>(-largest);
    Range<T> frame{std::min(down, up), std::max(down, up)};
    if (step.increment) // the range was found in T
        frame = {static_cast<T>(range.lower) + frame.lower, static_cast<T>(range.upper) + frame.upper};
    return std::isfinite(largest) && frame.within(step.limits.lower, step.limits.upper);
}

/// Look at every cell; false: one breaks the limits.
template <class T>
bool OutputPass::check_cells(const Step<T> &step, const State &input, std::int64_t batch, const float *program) const {
    std::int64_t dense[3];
    dense_float_strides(dense, input.shape);
    const Channel &channel = input.channels[step.channel];
    const char *from = channel.data + batch * channel.batch_stride;
    const Rows<2> rows(input.shape, {step.increment ? channel.strides : dense, dense});
    const std::int64_t stride = rows.strides[0][2] / static_cast<std::int64_t>(sizeof(T));
    return rows.each([&](const std::int64_t(&offset)[2]) {
        const T *x = step.increment ? reinterpret_cast<const T *>(from + offset[0]) : nullptr;
        const float *y = program + offset[1] / static_cast<std::int64_t>(sizeof(float));
        return check_next(x, stride, y, rows.length(), step.offset, step.scale, step.limits.lower, step.limits.upper);
    });
}

/// Sums of a change that is no affine function of y.
template <class T>
void OutputPass::sum_change(const Step<T> &step, const State &input, std::int64_t batch, const float *program,
                            ChannelSums &totals) const {
    std::int64_t dense[3];
    dense_float_strides(dense, input.shape);
    const Channel &channel = input.channels[step.channel];
    const char *from = channel.data + batch * channel.batch_stride;
    const Rows<2> rows(input.shape, {channel.strides, dense}, LANES);
    const std::int64_t stride = rows.strides[0][2] / static_cast<std::int64_t>(sizeof(T));
    MomentSums moments;
    Lanes clipped;
    rows.each([&](const std::int64_t(&offset)[2]) {
        const float *y = program + offset[1] / static_cast<std::int64_t>(sizeof(float));
        add_change(reinterpret_cast<const T *>(from + offset[0]), stride, y, rows.length(), step.increment, step.offset,
                   step.scale, step.clip.lower, step.clip.upper, moments, clipped);
        return true;
    });
    totals.change = moments.first.total();
    totals.change_square = moments.second.total();
    totals.clipped = clipped.total();
}

/// One channel of one state. Most calls read nothing but the program's output, once; false: a value breaks the limits.
template <class T>
bool OutputPass::look_at(const Step<T> &step, const State &input, std::int64_t batch, const float *program,
                         ChannelSums &totals, const Bounds &range) const {
    const bool changed = step.clip.checked || (step.summed && !step.increment);
    float largest = 0;
    if (changed)
        sum_change(step, input, batch, program, totals);
    if (step.summed && !changed) {
        MomentSums moments;
        largest = add_program(program, input.cells(), moments);
        scale_moments(totals, moments, static_cast<double>(input.cells()), static_cast<double>(step.offset),
                      static_cast<double>(step.scale));
    } else if (step.limits.checked)
        largest = largest_magnitude(program, input.cells());
    return !step.limits.checked || keeps_limits(step, range, largest) || check_cells(step, input, batch, program);
}

template <class T> void OutputPass::look_as(const State &input, const float *program, Tally &tally) const {
    for (std::int64_t b = 0; b < input.batch; ++b)
        for (const Step<T> &step : steps<T>()) {
            ChannelSums &totals = tally.at(b, step.channel);
            if (!look_at(step, input, b, program, totals, tally.range(b, step.channel)) &&
                refuses(step, input, b, program, totals))
                return;
            program += input.cells();
        }
}

void OutputPass::look(const State &input, const float *program, Tally &tally) const {
    if (input.dtype == SURROGATE_FLOAT32)
        look_as<float>(input, program, tally);
    else
        look_as<double>(input, program, tally);
}

template <class T>
double OutputPass::value(const Step<T> &step, const State &input, std::int64_t batch, const float *program,
                         const std::int64_t *cell) {
    const auto index = (cell[0] * input.shape[1] + cell[1]) * input.shape[2] + cell[2];
    const T jump = step.offset + step.scale * static_cast<T>(program[index]);
    const Channel &channel = input.channels[step.channel];
    return static_cast<double>(step.increment ? cell_value<T>(channel, batch, cell) + jump : jump);
}

/// Count what is wrong with a channel that holds a value beyond its limits; whether that ends the call.
template <class T>
bool OutputPass::refuses(const Step<T> &step, const State &input, std::int64_t batch, const float *program,
                         ChannelSums &totals) const {
    const auto count = [&](int reason) {
        return count_cells(
            input.shape, [&](const std::int64_t *cell) { return value(step, input, batch, program, cell); },
            [&](double found) { return judge(found, guards_, step.field, Role::output); }, reason);
    };
    totals.output_not_finite = count(SURROGATE_REASON_OUTPUT_NOT_FINITE);
    totals.output_out_of_bounds = count(SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS);
    return (totals.output_not_finite > 0 && guards_.policy(Guard::finite) != Policy::keep) ||
           (totals.output_out_of_bounds > 0 && guards_.policy(Guard::bounds) != Policy::keep);
}

template <class T> void OutputPass::locate_as(Offence &offence, const State &input, const float *program) const {
    const std::vector<Step<T>> &all = steps<T>();
    for (std::size_t k = 0; k < all.size(); ++k) {
        const Step<T> &step = all[k];
        if (static_cast<int>(step.field) != offence.field || step.component != offence.component)
            continue;
        const auto part = offence.batch * static_cast<std::int64_t>(all.size()) + static_cast<std::int64_t>(k);
        const float *y = program + part * input.cells();
        find_cell(
            offence, input.shape, [&](const std::int64_t *cell) { return value(step, input, offence.batch, y, cell); },
            [&](double found) { return judge(found, guards_, step.field, Role::output); });
    }
}

void OutputPass::locate(Offence &offence, const State &input, const float *program) const {
    if (input.dtype == SURROGATE_FLOAT32)
        locate_as<float>(offence, input, program);
    else
        locate_as<double>(offence, input, program);
}

template <class T>
void OutputPass::write_as(const State &output, const State &input, const float *program, const Tally &totals) const {
    std::int64_t dense[3];
    dense_float_strides(dense, input.shape);
    constexpr auto size = static_cast<std::int64_t>(sizeof(T));
    for (std::int64_t b = 0; b < input.batch; ++b)
        for (const Step<T> &step : steps<T>()) {
            const Channel &source = input.channels[step.channel], &target = output.channels[step.channel];
            const char *from = source.data + b * source.batch_stride;
            char *to = target.data + b * target.batch_stride;
            const Rows<3> rows(input.shape, {target.strides, step.increment ? source.strides : target.strides, dense});
            const std::int64_t to_stride = rows.strides[0][2] / size, stride = rows.strides[1][2] / size;
            const double shift = step.projected ? totals.at(b, step.channel).mean_change() : 0.0;
            const T shifted = static_cast<T>(static_cast<double>(step.offset) - shift);
            rows.each([&](const std::int64_t(&offset)[3]) {
                const T *x = step.increment ? reinterpret_cast<const T *>(from + offset[1]) : nullptr;
                const float *y = program + offset[2] / static_cast<std::int64_t>(sizeof(float));
                T *u = reinterpret_cast<T *>(to + offset[0]);
                if (step.clip.checked)
                    write_clipped(u, to_stride, x, stride, y, rows.length(), step.offset, step.scale, step.clip.lower,
                                  step.clip.upper, static_cast<T>(shift));
                else
                    write_next(u, to_stride, x, stride, y, rows.length(), shifted, step.scale);
                return true;
            });
            program += input.cells();
        }
}

void OutputPass::write(const State &output, const State &input, const float *program, const Tally &totals) const {
    if (output.dtype == SURROGATE_FLOAT32)
        write_as<float>(output, input, program, totals);
    else
        write_as<double>(output, input, program, totals);
}

bool OutputPass::writes_into(const State &output, const float *program, std::int64_t count) const {
    const auto first = reinterpret_cast<std::uintptr_t>(program);
    const auto last = reinterpret_cast<std::uintptr_t>(program + count);
    for (const Step<float> &step : single_) {
        const Channel &channel = output.channels[step.channel];
        std::int64_t below = 0, above = size_of(output.dtype);
        const auto extend = [&](std::int64_t n, std::int64_t stride) {
            (stride < 0 ? below : above) += (n - 1) * stride;
        };
        extend(output.batch, channel.batch_stride);
        for (int k = 0; k < 3; ++k)
            extend(output.shape[k], channel.strides[k]);
        const auto at = reinterpret_cast<std::uintptr_t>(channel.data);
        if (at + static_cast<std::uintptr_t>(below) < last && first < at + static_cast<std::uintptr_t>(above))
            return true;
    }
    return false;
}

} // namespace surrogate::core
