#include "passes.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/count_nonzero.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "surrogate/surrogate.h"

namespace surrogate_torch {
namespace {

// Rows of the constants' tables.
enum SourceRow { kMean, kInverse, kLower, kUpper, kTrainedLower, kTrainedUpper, kSourceRows };
enum TargetRow { kOffset, kScale, kTargetLower, kTargetUpper, kIncrement, kTargetRows };

at::ScalarType dtype_of(const surrogate_engine_layout &layout) {
    return layout.dtype == SURROGATE_FLOAT64 ? at::kDouble : at::kFloat;
}

std::vector<int64_t> shape_of(const surrogate_engine_layout &layout, int64_t channels) {
    std::vector<int64_t> shape = {layout.batch, channels};
    shape.insert(shape.end(), layout.shape, layout.shape + layout.rank);
    return shape; // (B, C, spatial...)
}

// A channel of the caller as a tensor (B, spatial...).  torch has no negative strides: such axes are looked at from
// their other end and named in `flipped`.
struct View {
    at::Tensor tensor;
    std::vector<int64_t> flipped;
};

template <class Channel>
View view_of(const surrogate_engine_layout &layout, const Channel &channel, c10::Device device) {
    const int64_t size = layout.dtype == SURROGATE_FLOAT64 ? 8 : 4;
    auto *data = static_cast<char *>(const_cast<void *>(static_cast<const void *>(channel.data)));
    std::vector<int64_t> sizes = {layout.batch}, strides = {channel.batch_stride / size};
    sizes.insert(sizes.end(), layout.shape, layout.shape + layout.rank);
    for (int32_t axis = 0; axis < layout.rank; ++axis)
        strides.push_back(channel.strides[axis] / size);
    View view;
    for (size_t axis = 0; axis < sizes.size(); ++axis)
        if (strides[axis] < 0) {
            data += (sizes[axis] - 1) * strides[axis] * size;
            strides[axis] = -strides[axis];
            view.flipped.push_back(static_cast<int64_t>(axis));
        }
    view.tensor = at::for_blob(data, sizes)
                      .strides(strides)
                      .options(at::TensorOptions(dtype_of(layout)).device(device))
                      .target_device(device)
                      .make_tensor();
    return view;
}

std::vector<int64_t> all_but_channels(const at::Tensor &tensor) {
    std::vector<int64_t> axes = {0};
    for (int64_t axis = 2; axis < tensor.dim(); ++axis)
        axes.push_back(axis);
    return axes;
}

at::Tensor count(const at::Tensor &mask) {
    return at::count_nonzero(mask, all_but_channels(mask)).to(at::kDouble); // (C,)
}

at::Tensor total(const at::Tensor &values) {
    return at::sum(values, all_but_channels(values), false, at::kDouble); // (C,)
}

at::Tensor norm(const at::Tensor &values, int power) {
    return at::linalg_vector_norm(values, power, all_but_channels(values), false, at::kDouble); // (C,)
}

// not finite, below, above of every channel: (3, C).
std::vector<at::Tensor> breaches(const at::Tensor &values, const at::Tensor &finite, const at::Tensor &lower,
                                 const at::Tensor &upper) {
    return {count(finite.logical_not()), count(values.ge(lower).logical_not()), count(values.gt(upper))};
}

void add_moments(std::vector<at::Tensor> &rows, const at::Tensor &values) {
    rows.insert(rows.end(), {total(values), norm(values, 2).square(), norm(values, 1)});
}

// The first offender of channel c, looked for only where the counts tell of one.
void find_offender(surrogate_engine_sums &sums, const at::Tensor &values, const at::Tensor &finite, int64_t c,
                   double lower, double upper, bool refuse_infinite) {
    const at::Tensor u = values.select(1, c).reshape(-1); // (B * cells,)
    at::Tensor bad = at::zeros(u.sizes(), u.options().dtype(at::kBool));
    if (refuse_infinite)
        bad.logical_or_(finite.select(1, c).reshape(-1).logical_not());
    if (std::isfinite(lower) || std::isfinite(upper))
        bad.logical_or_(u.ge(lower).logical_and_(u.le(upper)).logical_not());
    const int64_t first = bad.to(at::kByte).argmax().item<int64_t>();
    sums.offender = first;
    sums.offending = u[first].item<double>();
}

template <class Channel>
void locate(surrogate_engine_sums *sums, const Channel *channels, const at::Tensor &values, const at::Tensor &finite,
            bool refuse_infinite) {
    for (int64_t c = 0; c < values.size(1); ++c) {
        sums[c].offender = -1;
        const bool bounded = std::isfinite(channels[c].lower) || std::isfinite(channels[c].upper);
        if ((refuse_infinite && sums[c].not_finite > 0) || (bounded && sums[c].below + sums[c].above > 0))
            find_offender(sums[c], values, finite, c, channels[c].lower, channels[c].upper, refuse_infinite);
    }
}

} // namespace

void Passes::update(Constants &constants, std::vector<double> values, int64_t kinds, int64_t rank,
                    at::TensorOptions options) {
    const bool same = constants.table.defined() &&
                      constants.table.scalar_type() == c10::typeMetaToScalarType(options.dtype()) &&
                      constants.table.dim() == rank + 2 && constants.values == values;
    if (same)
        return;
    std::vector<int64_t> shape = {kinds, static_cast<int64_t>(values.size()) / kinds};
    shape.resize(static_cast<size_t>(rank) + 2, 1);
    constants.table =
        at::tensor(values, at::kDouble).view(shape).to(options.device(), c10::typeMetaToScalarType(options.dtype()));
    constants.values = std::move(values);
}

at::Tensor Passes::pack(const surrogate_engine_layout &layout) {
    const at::TensorOptions options = at::TensorOptions(dtype_of(layout)).device(device_);
    const int64_t channels = layout.source_count;
    std::vector<double> values(static_cast<size_t>(kSourceRows * channels));
    for (int64_t c = 0; c < channels; ++c) {
        const surrogate_engine_source &source = layout.sources[c];
        const double row[kSourceRows] = {source.mean,  source.inverse,       source.lower,
                                         source.upper, source.trained_lower, source.trained_upper};
        for (int k = 0; k < kSourceRows; ++k)
            values[static_cast<size_t>(k * channels + c)] = row[k];
    }
    update(source_constants_, std::move(values), kSourceRows, layout.rank, options);
    const std::vector<int64_t> shape = shape_of(layout, channels);
    if (!state_.defined() || state_.sizes() != at::IntArrayRef(shape) || state_.scalar_type() != dtype_of(layout))
        state_ = at::empty(shape, options);
    for (int64_t c = 0; c < channels; ++c) {
        const View view = view_of(layout, layout.sources[c], device_);
        state_.select(1, c).copy_(view.flipped.empty() ? view.tensor : view.tensor.flip(view.flipped));
    }
    const at::Tensor &table = source_constants_.table;
    packed_ = state_.sub(table[kMean]).mul_(table[kInverse]).to(at::kFloat); // (B, C, spatial...)
    return packed_;
}

at::Tensor Passes::of_targets(const surrogate_engine_layout &layout) {
    std::vector<int64_t> sources;
    bool ordered = layout.target_count == layout.source_count;
    for (int32_t c = 0; c < layout.target_count; ++c) {
        sources.push_back(layout.targets[c].source);
        ordered = ordered && layout.targets[c].source == c;
    }
    return ordered ? state_ : state_.index_select(1, at::tensor(sources, at::kLong).to(device_)); // (B, C_out, ...)
}

at::Tensor Passes::next_frame(const surrogate_engine_layout &layout, const at::Tensor &program) {
    const int64_t channels = layout.target_count;
    std::vector<double> values(static_cast<size_t>(kTargetRows * channels));
    bool all = true;
    for (int64_t c = 0; c < channels; ++c) {
        const surrogate_engine_target &target = layout.targets[c];
        const double row[kTargetRows] = {target.offset, target.scale, target.lower, target.upper,
                                         static_cast<double>(target.increment)};
        for (int k = 0; k < kTargetRows; ++k)
            values[static_cast<size_t>(k * channels + c)] = row[k];
        all = all && target.increment == 1;
    }
    update(target_constants_, std::move(values), kTargetRows, layout.rank, state_.options());
    const at::Tensor &table = target_constants_.table;
    // One rounding an operator, as in libsurrogate: never a fused multiply-add.
    at::Tensor jump = program.to(state_.scalar_type()).mul(table[kScale]).add_(table[kOffset]);
    const at::Tensor state = of_targets(layout);
    return all ? jump.add_(state) : at::where(table[kIncrement].ne(0), state.add(jump), jump);
}

void Passes::review(surrogate_engine_sums *sources, surrogate_engine_sums *targets,
                    const surrogate_engine_layout &layout, const at::Tensor &program) {
    frame_ = next_frame(layout, program);
    const at::Tensor &read = source_constants_.table, &written = target_constants_.table;
    const at::Tensor read_finite = at::isfinite(packed_), written_finite = at::isfinite(frame_);
    std::vector<at::Tensor> read_rows = breaches(state_, read_finite, read[kLower], read[kUpper]);
    std::vector<at::Tensor> written_rows =
        breaches(frame_, written_finite, written[kTargetLower], written[kTargetUpper]);
    if (layout.moments != 0) {
        read_rows.push_back(
            count(state_.ge(read[kTrainedLower]).logical_and_(state_.le(read[kTrainedUpper])).logical_not_()));
        add_moments(read_rows, state_);
        add_moments(written_rows, frame_);
        const at::Tensor jump = frame_.sub(of_targets(layout));
        written_rows.insert(written_rows.end(), {total(jump), norm(jump, 2).square()});
    }
    // One transfer for both sides: the rows are of equal length each, one after another.
    const at::Tensor numbers =
        at::cat({at::stack(read_rows).reshape(-1), at::stack(written_rows).reshape(-1)}).to(at::kCPU);
    const double *at = numbers.const_data_ptr<double>();
    const auto fill = [&at](surrogate_engine_sums *sums, int32_t channels,
                            std::initializer_list<double surrogate_engine_sums::*> members) {
        for (double surrogate_engine_sums::*member : members)
            for (int32_t c = 0; c < channels; ++c)
                sums[c].*member = *at++;
    };
    using S = surrogate_engine_sums;
    std::fill(sources, sources + layout.source_count, S{});
    std::fill(targets, targets + layout.target_count, S{});
    fill(sources, layout.source_count, {&S::not_finite, &S::below, &S::above});
    if (layout.moments != 0)
        fill(sources, layout.source_count, {&S::outside, &S::sum, &S::square, &S::absolute});
    fill(targets, layout.target_count, {&S::not_finite, &S::below, &S::above});
    if (layout.moments != 0)
        fill(targets, layout.target_count, {&S::sum, &S::square, &S::absolute, &S::jump, &S::jump_square});
    locate(sources, layout.sources, state_, read_finite, layout.finite != 0);
    locate(targets, layout.targets, frame_, written_finite, layout.finite != 0);
}

void Passes::write(const surrogate_engine_layout &layout) {
    for (int32_t c = 0; c < layout.target_count; ++c) {
        const surrogate_engine_target &target = layout.targets[c];
        at::Tensor values = frame_.select(1, c); // (B, spatial...)
        if (target.shift != 0.0)
            values = values.add(target.shift);
        if (target.clip != 0)
            values = values.clamp(target.lower, target.upper);
        const View view = view_of(layout, target, device_);
        view.tensor.copy_(view.flipped.empty() ? values : values.flip(view.flipped));
    }
}

} // namespace surrogate_torch
