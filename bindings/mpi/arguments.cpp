#include "arguments.h"

#include "core/versioned.h"

#include <cmath>

namespace surrogate::mpi {

namespace {

constexpr const char *AXIS_NAMES[] = {"global_shape[0]", "global_shape[1]", "global_shape[2]"};

/// The caller's options over the defaults of what his header lacks.
surrogate_step_options read_step(const surrogate_step_options *given) {
    surrogate_step_options step;
    surrogate_step_options_init(&step, sizeof step);
    if (given)
        step = core::read_versioned(given, step, "step", "call surrogate_step_options_init first");
    step.struct_size = sizeof step;
    return step;
}

/// All 0 unless they are as many as there are axes, at least 1, and fit in memory.
Index cells_of(const std::int64_t *sizes, int count, int spatial_rank) {
    std::int64_t cells = 1;
    for (int k = 0; k < count; ++k)
        if (sizes[k] < 1 || __builtin_mul_overflow(cells, sizes[k], &cells) || cells > MOST_CELLS)
            return {};
    return count == spatial_rank ? from_c(sizes, spatial_rank, 1) : Index{};
}

} // namespace

Index block_shape(const Arguments &given, int spatial_rank) {
    if (!given.input || given.count == 0 || given.input->rank < 1 || given.input->rank > SURROGATE_MAX_RANK)
        return {};
    const surrogate_field &field = *given.input;
    std::int64_t sizes[SURROGATE_MAX_RANK];
    int axes = 0;
    for (int k = 0; k < field.rank; ++k)
        if (k != field.component_axis && k != field.batch_axis)
            sizes[axes++] = field.shape[k];
    return cells_of(sizes, axes, spatial_rank);
}

Index array_shape(int rank, const std::int64_t *shape, int spatial_rank) {
    return shape ? cells_of(shape + 1, rank - 1, spatial_rank) : Index{};
}

Reading::Reading(surrogate_model *local, const surrogate_info &info, bool one_rank) : info_(info), one_rank_(one_rank) {
    for (int k = 0; k < info.parameter_count; ++k) {
        surrogate_parameter_info parameter{};
        parameter.struct_size = sizeof parameter;
        check(surrogate_get_parameter_info(local, k, &parameter));
        parameter_names_.push_back(text("parameter '", parameter.name, "'"));
        presets_.push_back(parameter.preset);
    }
    quantities_.reserve(quantity_count());
}

void Reading::read(const Arguments &given) {
    quantities_.clear();
    step_ = read_step(given.step);
    const Index shape = block_shape(given, info_.spatial_rank);
    read_grid(shape);
    to_c(step_.global_shape, grid_.shape, info_.spatial_rank);
    read_block(shape);
    list_quantities(given);
}

void Reading::read_grid(const Index &shape) {
    Index global_shape = from_c(step_.global_shape, info_.spatial_rank, 1);
    if (one_rank_ && std::all_of(step_.global_shape, step_.global_shape + info_.spatial_rank,
                                 [](std::int64_t size) { return size == 0; }))
        global_shape = shape;
    if (global_shape == global_shape_)
        return;
    std::int64_t sizes[3];
    to_c(sizes, global_shape, info_.spatial_rank);
    grid_ = make_grid(info_, sizes);
    global_shape_ = global_shape;
}

void Reading::read_block(const Index &shape) {
    block_.lower = from_c(step_.origin, info_.spatial_rank, 0);
    for (std::size_t k = 0; k < 3; ++k) {
        if (block_.lower[k] < -MOST_CELLS || block_.lower[k] > MOST_CELLS)
            fail(SURROGATE_ERROR_SHAPE, "origin ", index_text(block_.lower, info_.spatial_rank),
                 " given, expected the place of the block's first cell in the domain ",
                 index_text(grid_.shape, info_.spatial_rank));
        block_.upper[k] = block_.lower[k] + shape[k];
    }
}

void Reading::list_quantities(const Arguments &given) {
    for (int k = 0; k < info_.spatial_rank; ++k)
        quantities_.push_back(
            Quantity::integer(AXIS_NAMES[k], grid_.shape[static_cast<std::size_t>(3 - info_.spatial_rank + k)]));
    quantities_.push_back(Quantity::integer("step", step_.step));
    quantities_.push_back(Quantity::integer("seed", static_cast<std::int64_t>(step_.seed)));
    quantities_.push_back(Quantity::integer("member", step_.member));
    quantities_.push_back(Quantity::integer("dtype", given.input->dtype));
    if (has_steps())
        quantities_.push_back(Quantity::integer("steps", step_.steps ? step_.steps : info_.preset_steps));
    if (has_caption())
        quantities_.push_back(Quantity::digest("caption", step_.caption ? step_.caption : ""));
    for (std::size_t k = 0; k < presets_.size(); ++k)
        quantities_.push_back(Quantity::real(parameter_names_[k].c_str(), parameter(k)));
}

/// What the program reads as scalar parameter `index`; the core has checked the step.
double Reading::parameter(std::size_t index) const {
    if (index + 1 == presets_.size() && !std::isnan(step_.guidance))
        return step_.guidance;
    return step_.parameters && index < step_.parameter_count ? step_.parameters[index] : presets_[index];
}

ArrayFields::ArrayFields(surrogate_model *local, const surrogate_info &info) : info_(info) {
    for (int k = 0; k < info.field_count; ++k) {
        surrogate_field_info field{};
        field.struct_size = sizeof field;
        check(surrogate_get_field_info(local, k, &field));
        components_.push_back(field.components);
    }
    output_.resize(components_.size());
    input_.resize(components_.size());
}

Arguments ArrayFields::describe(void *output, const void *input, int dtype, int rank, const std::int64_t *shape,
                                const surrogate_step_options *step) {
    const int spatial = info_.spatial_rank;
    if (!output || !input || !shape)
        fail(SURROGATE_ERROR_ARGUMENT, !output ? "output" : !input ? "input" : "shape", " is NULL");
    if (info_.history > 1)
        fail(SURROGATE_ERROR_UNSUPPORTED, "the model reads ", info_.history,
             " frames, one array is the newest only; call surrogate_mpi_predict with the fields of all frames");
    if (rank != 1 + spatial)
        fail(SURROGATE_ERROR_SHAPE, "rank ", rank, " given, expected ", 1 + spatial, ": a channel axis and ", spatial,
             " spatial axes");
    if (shape[0] != info_.channel_count)
        fail(SURROGATE_ERROR_FIELD, shape[0], " channels given, expected ", info_.channel_count);
    std::int64_t part[SURROGATE_MAX_RANK], plane = dtype == SURROGATE_FLOAT64 ? 8 : 4; // the core checks the dtype
    for (int k = 1; k < rank; ++k) {
        part[k] = shape[k];
        if (shape[k] < 1 || __builtin_mul_overflow(plane, shape[k], &plane) || plane > MOST_CELLS / shape[0])
            fail(SURROGATE_ERROR_SHAPE, "size ", shape[k], " of axis ", k,
                 " given, expected sizes of at least 1 that fit in memory");
    }
    auto *to = static_cast<char *>(output);
    auto *from = const_cast<char *>(static_cast<const char *>(input)); // fields do not tell what is only read
    for (std::size_t k = 0; k < components_.size(); ++k) {
        part[0] = components_[k];
        surrogate_field_init(&output_[k], nullptr, to, dtype, rank, part);
        surrogate_field_init(&input_[k], nullptr, from, dtype, rank, part);
        output_[k].component_axis = input_[k].component_axis = 0;
        to += components_[k] * plane;
        from += components_[k] * plane;
    }
    return {output_.data(), input_.data(), components_.size(), step};
}

} // namespace surrogate::mpi
