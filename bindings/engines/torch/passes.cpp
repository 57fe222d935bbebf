#include "passes.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/isinf.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

#include "surrogate/surrogate.h"

namespace surrogate_torch {
namespace {

// Rows of the constants' tables.
enum SourceRow { kMean, kInverse, kLower, kUpper, kTrainedLower, kTrainedUpper, kSourceRows };
enum TargetRow { kOffset, kScale, kTargetLower, kTargetUpper, kIncrement, kClip, kTargetRows };

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

std::vector<int64_t> spatial_axes(const at::Tensor &tensor) {
    std::vector<int64_t> axes;
    for (int64_t axis = 2; axis < tensor.dim(); ++axis)
        axes.push_back(axis);
    return axes;
}

at::Tensor count(const at::Tensor &mask) {
    return at::sum(mask, spatial_axes(mask), false, at::kDouble); // (B, C)
}

at::Tensor total(const at::Tensor &values) {
    return at::sum(values, spatial_axes(values), false, at::kDouble); // (B, C)
}

at::Tensor norm(const at::Tensor &values, int power) {
    return at::linalg_vector_norm(values, power, spatial_axes(values), false, at::kDouble); // (B, C)
}

// Channels without bounds, where NaN is out of none.
at::Tensor unbounded(const at::Tensor &lower, const at::Tensor &upper) {
    return at::isinf(lower).logical_and_(at::isinf(upper));
}

// Which values are refused, each for one reason.
struct Breaches {
    at::Tensor not_finite, out_of_bounds; // (B, C, spatial...), bool
};

// Sums of one side on their way from the device: [state][channel].
void fill(surrogate_engine_sums *sums, const double *&at, int64_t count,
          std::initializer_list<double surrogate_engine_sums::*> members) {
    for (double surrogate_engine_sums::*member : members)
        for (int64_t k = 0; k < count; ++k)
            sums[k].*member = *at++;
}

// The first offender of every channel, looked for only where the counts tell of one.
void locate(surrogate_engine_sums *sums, const at::Tensor &values, const Breaches &breaches) {
    for (int64_t b = 0; b < values.size(0); ++b)
        for (int64_t c = 0; c < values.size(1); ++c) {
            surrogate_engine_sums &found = sums[b * values.size(1) + c];
            found.offender = -1;
            if (found.not_finite + found.out_of_bounds == 0)
                continue;
            const at::Tensor &mask = found.not_finite > 0 ? breaches.not_finite : breaches.out_of_bounds;
            found.offender = mask[b][c].reshape(-1).to(at::kByte).argmax().item<int64_t>();
            found.offending = values[b][c].reshape(-1)[found.offender].item<double>();
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
        const double row[kTargetRows] = {target.offset,
                                         target.scale,
                                         target.lower,
                                         target.upper,
                                         static_cast<double>(target.increment),
                                         static_cast<double>(target.clip)};
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
    const auto breaches = [&layout](const at::Tensor &values, const at::Tensor &judged, const at::Tensor &lower,
                                    const at::Tensor &upper) {
        const at::Tensor inside = values.ge(lower).logical_and_(values.le(upper));
        Breaches found;
        found.not_finite = layout.finite != 0 ? at::isfinite(judged).logical_not_() : at::zeros_like(inside);
        found.out_of_bounds = inside.logical_or_(found.not_finite).logical_or_(unbounded(lower, upper)).logical_not();
        return found;
    };
    const at::Tensor &read = source_constants_.table, &written = target_constants_.table;
    const Breaches source = breaches(state_, packed_, read[kLower], read[kUpper]);
    Breaches target = breaches(frame_, frame_, written[kTargetLower], written[kTargetUpper]);
    const at::Tensor clip = written[kClip].ne(0); // (C_out, 1, ...)
    const at::Tensor clipped = target.out_of_bounds.logical_and(clip);
    target.out_of_bounds.logical_and_(clip.logical_not());
    std::vector<at::Tensor> rows = {count(source.not_finite), count(source.out_of_bounds)};
    const bool clips = std::any_of(layout.targets, layout.targets + layout.target_count,
                                   [](const surrogate_engine_target &one) { return one.clip != 0; });
    if (clips)
        frame_ = at::where(clipped, frame_.maximum(written[kTargetLower]).minimum(written[kTargetUpper]), frame_);
    if (layout.moments != 0) {
        const at::Tensor d = state_.sub(read[kMean]);
        rows.insert(rows.end(),
                    {count(state_.ge(read[kTrainedLower]).logical_and_(state_.le(read[kTrainedUpper])).logical_not_()),
                     total(d), norm(d, 2).square(), norm(state_, 1)});
    }
    std::vector<at::Tensor> more = {count(target.not_finite), count(target.out_of_bounds), count(clipped)};
    if (layout.moments != 0) {
        const at::Tensor change = frame_.sub(of_targets(layout));
        more.insert(more.end(), {total(change), norm(change, 2).square()});
    }
    // One transfer for both sides: rows (B, C) of the sources, then (B, C_out) of the targets.
    const at::Tensor numbers = at::cat({at::stack(rows).reshape(-1), at::stack(more).reshape(-1)}).to(at::kCPU);
    const double *at = numbers.const_data_ptr<double>();
    using S = surrogate_engine_sums;
    const int64_t reads = layout.batch * layout.source_count, writes = layout.batch * layout.target_count;
    std::fill(sources, sources + reads, S{});
    std::fill(targets, targets + writes, S{});
    fill(sources, at, reads, {&S::not_finite, &S::out_of_bounds});
    if (layout.moments != 0)
        fill(sources, at, reads, {&S::outside, &S::sum, &S::square, &S::absolute});
    fill(targets, at, writes, {&S::not_finite, &S::out_of_bounds, &S::outside});
    if (layout.moments != 0)
        fill(targets, at, writes, {&S::sum, &S::square});
    locate(sources, state_, source);
    locate(targets, frame_, target);
}

void Passes::write(const surrogate_engine_layout &layout) {
    at::Tensor frame = frame_; // (B, C_out, spatial...)
    if (layout.shifts != nullptr) {
        std::vector<int64_t> shape(static_cast<size_t>(layout.rank) + 2, 1);
        shape[0] = layout.batch;
        shape[1] = layout.target_count;
        const std::vector<double> shifts(layout.shifts, layout.shifts + layout.batch * layout.target_count);
        frame = frame.add(at::tensor(shifts, at::kDouble).view(shape).to(frame.device(), frame.scalar_type()));
    }
    for (int32_t c = 0; c < layout.target_count; ++c) {
        const at::Tensor values = frame.select(1, c); // (B, spatial...)
        const View view = view_of(layout, layout.targets[c], device_);
        view.tensor.copy_(view.flipped.empty() ? values : values.flip(view.flipped));
    }
}

} // namespace surrogate_torch
