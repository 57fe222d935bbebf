// Facts of a model, in the public structs.
#include "model.h"

#include "error.h"

#include <algorithm>

namespace surrogate::core {

surrogate_info Model::info() const {
    surrogate_info info{};
    info.name = manifest_.name.c_str();
    info.path = bundle_.path().c_str();
    const Program &program = *variants_.standard().program;
    info.engine = program.spec().engine.c_str();
    info.program = program.spec().name.c_str();
    info.device = program.device().c_str();
    info.precision = program.spec().precision.c_str();
    info.choice = program.choice().c_str();
    info.field_count = static_cast<std::int32_t>(manifest_.fields.size());
    info.channel_count = manifest_.input_channels;
    info.parameter_count = static_cast<std::int32_t>(manifest_.parameters.size());
    info.spatial_rank = manifest_.grid.rank;
    info.time_step = manifest_.time_step;
    info.time_unit = manifest_.time_unit.c_str();
    const Grid &grid = manifest_.grid;
    std::copy(grid.fixed_shape, grid.fixed_shape + 3, info.fixed_shape);
    std::copy(grid.multiple_of, grid.multiple_of + 3, info.multiple_of);
    std::copy(grid.minimum_shape, grid.minimum_shape + 3, info.minimum_shape);
    std::copy(grid.spacing, grid.spacing + 3, info.spacing);
    std::copy(grid.boundary, grid.boundary + 3, info.boundary);
    info.spacing_unit = grid.spacing_unit.c_str();
    const Locality &locality = manifest_.locality;
    std::copy(locality.receptive_field, locality.receptive_field + 3, info.receptive_field);
    std::copy(locality.stride, locality.stride + 3, info.stride);
    info.reduces_over_space = locality.reduces_over_space;
    info.stochastic = !manifest_.noise.empty();
    info.threads = threads_;
    info.partial_count = static_cast<std::int32_t>(SUMS_A_CHANNEL) * manifest_.input_channels;
    info.history = manifest_.history;
    const Sampler &sampler = manifest_.sampler;
    info.sampler = sampler_.c_str();
    info.steps = sampler ? sampler.steps.data() : nullptr;
    info.step_count = static_cast<std::int32_t>(sampler.steps.size());
    info.preset_steps = variants_.standard().steps;
    info.largest_members = sampler.members;
    info.largest_guidance = sampler.guidance;
    info.caption_length = static_cast<std::int32_t>(manifest_.text.length);
    return info;
}

static std::size_t checked_index(int index, std::size_t count, const char *what) {
    if (index < 0 || static_cast<std::size_t>(index) >= count)
        fail(SURROGATE_ERROR_ARGUMENT, "index ", index, " given, expected 0 or more and less than ", count,
             ", the number of ", what);
    return static_cast<std::size_t>(index);
}

surrogate_field_info Model::field_info(int index) const {
    const FieldSpec &field = manifest_.fields[checked_index(index, manifest_.fields.size(), "fields")];
    surrogate_field_info info{};
    info.name = field.name.c_str();
    info.unit = field.unit.c_str();
    info.staggering = field.staggering.c_str();
    info.components = field.components;
    info.predicted = field.predicted();
    return info;
}

surrogate_parameter_info Model::parameter_info(int index) const {
    const Parameter &parameter = manifest_.parameters[checked_index(index, manifest_.parameters.size(), "parameters")];
    surrogate_parameter_info info{};
    info.name = parameter.name.c_str();
    info.unit = parameter.unit.c_str();
    info.lower = parameter.lower;
    info.upper = parameter.upper;
    info.preset = parameter.preset;
    return info;
}

surrogate_statistics Model::statistics() {
    const Lock lock = claim();
    return statistics_;
}

surrogate_rejection Model::last_rejection() {
    const Lock lock = claim();
    return rejection_;
}

} // namespace surrogate::core
