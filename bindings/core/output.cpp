#include "output.h"

#include "error.h"
#include "kernels.h"
#include "rows.h"

#include <algorithm>

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
    steps.push_back({field, static_cast<std::size_t>(spec.first_input) + c, component,
                     spec.prediction == Prediction::increment, static_cast<T>(spec.offset[c]),
                     static_cast<T>(spec.scale[c]), limits<T>(guards_, field)});
}

OutputPass::OutputPass(const Manifest &manifest, const GuardSpec &guards) : manifest_(manifest), guards_(guards) {
    for (std::size_t f = 0; f < manifest.fields.size(); ++f)
        for (int c = 0; c < manifest.fields[f].components; ++c)
            if (manifest.fields[f].prediction != Prediction::none) {
                add_step(single_, f, c);
                add_step(double_, f, c);
            }
}

template <class T> bool OutputPass::accepted_as(const State &input, const float *program) const {
    std::int64_t dense[3];
    dense_float_strides(dense, input.shape);
    for (std::int64_t b = 0; b < input.batch; ++b)
        for (const Step<T> &step : steps<T>()) {
            const Channel &channel = input.channels[step.channel];
            const char *from = channel.data + b * channel.batch_stride;
            const Rows<2> rows(input.shape, {step.increment ? channel.strides : dense, dense});
            const std::int64_t stride = rows.strides[0][2] / static_cast<std::int64_t>(sizeof(T)), n = rows.length();
            const bool good = !step.limits.checked || rows.each([&](const std::int64_t(&offset)[2]) {
                const T *x = step.increment ? reinterpret_cast<const T *>(from + offset[0]) : nullptr;
                const float *y = program + offset[1] / static_cast<std::int64_t>(sizeof(float));
                return check_next(x, stride, y, n, step.offset, step.scale, step.limits.lower, step.limits.upper);
            });
            if (!good)
                return false;
            program += input.cells();
        }
    return true;
}

template <class T> void OutputPass::write_as(const State &output, const State &input, const float *program) const {
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
            rows.each([&](const std::int64_t(&offset)[3]) {
                const T *x = step.increment ? reinterpret_cast<const T *>(from + offset[1]) : nullptr;
                const float *y = program + offset[2] / static_cast<std::int64_t>(sizeof(float));
                write_next(reinterpret_cast<T *>(to + offset[0]), to_stride, x, stride, y, rows.length(), step.offset,
                           step.scale);
                return true;
            });
            program += input.cells();
        }
}

template <class T> Offence OutputPass::find_as(const State &input, const float *program) const {
    for (std::int64_t b = 0; b < input.batch; ++b)
        for (const Step<T> &step : steps<T>()) {
            const auto value = [&](const std::int64_t *cell) {
                const auto index = (cell[0] * input.shape[1] + cell[1]) * input.shape[2] + cell[2];
                const T jump = step.offset + step.scale * static_cast<T>(program[index]);
                const Channel &channel = input.channels[step.channel];
                return static_cast<double>(step.increment ? cell_value<T>(channel, b, cell) + jump : jump);
            };
            const auto judge_value = [&](double found) { return judge(found, guards_, step.field, Role::output); };
            Offence offence;
            if (find_cell(offence, input.shape, value, judge_value)) {
                offence.field = static_cast<int>(step.field);
                offence.component = step.component;
                offence.batch = b;
                offence.bounds = guards_.bounds[step.field];
                return offence;
            }
            program += input.cells();
        }
    fail(SURROGATE_ERROR_INTERNAL, "the input changed while it was read; no other thread may write to it");
}

bool OutputPass::accepted(const State &input, const float *program) const {
    return input.dtype == SURROGATE_FLOAT32 ? accepted_as<float>(input, program) : accepted_as<double>(input, program);
}

Offence OutputPass::find(const State &input, const float *program) const {
    return input.dtype == SURROGATE_FLOAT32 ? find_as<float>(input, program) : find_as<double>(input, program);
}

void OutputPass::write(const State &output, const State &input, const float *program) const {
    if (output.dtype == SURROGATE_FLOAT32)
        write_as<float>(output, input, program);
    else
        write_as<double>(output, input, program);
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
