#include "facts.hpp"

#include "calling.hpp"

#include <pybind11/stl.h>

namespace py = pybind11;

namespace native {
namespace {

// Counts that are not zero, by the reason's name without its prefix.
py::dict by_reason(const std::int64_t (&counts)[16]) {
    py::dict result;
    for (int reason = 0; reason < 16; ++reason)
        if (counts[reason])
            result[py::str(surrogate_reason_name(reason)).attr("removeprefix")("SURROGATE_REASON_")] = counts[reason];
    return result;
}

} // namespace

py::dict info_facts(surrogate_model *model) {
    auto info = sized<surrogate_info>();
    check(surrogate_get_info(model, &info));
    const int rank = info.spatial_rank;
    py::list boundary;
    for (int axis = 0; axis < rank; ++axis) {
        const int kind = info.boundary[axis];
        boundary.append(kind == SURROGATE_BOUNDARY_PERIODIC ? "periodic"
                        : kind == SURROGATE_BOUNDARY_WALL   ? "wall"
                                                            : "open");
    }
    const std::vector<std::int64_t> steps(info.steps, info.steps + info.step_count);
    using namespace py::literals;
    return py::dict("name"_a = info.name, "path"_a = info.path, "engine"_a = info.engine, "program"_a = info.program,
                    "device"_a = info.device, "precision"_a = info.precision, "choice"_a = info.choice,
                    "channels"_a = info.channel_count, "spatial_rank"_a = rank, "time_step"_a = info.time_step,
                    "time_unit"_a = info.time_unit, "fixed_shape"_a = axes(info.fixed_shape, rank),
                    "multiple_of"_a = axes(info.multiple_of, rank), "minimum_shape"_a = axes(info.minimum_shape, rank),
                    "spacing"_a = axes(info.spacing, rank), "spacing_unit"_a = info.spacing_unit,
                    "boundary"_a = py::tuple(boundary), "receptive_field"_a = axes(info.receptive_field, rank),
                    "stride"_a = axes(info.stride, rank), "reduces_over_space"_a = info.reduces_over_space != 0,
                    "stochastic"_a = info.stochastic != 0, "threads"_a = info.threads, "history"_a = info.history,
                    "partial_count"_a = info.partial_count, "sampler"_a = info.sampler,
                    "steps"_a = py::tuple(py::cast(steps)), "preset_steps"_a = info.preset_steps,
                    "largest_members"_a = info.largest_members, "largest_guidance"_a = info.largest_guidance,
                    "caption_length"_a = info.caption_length);
}

py::list field_facts(surrogate_model *model) {
    auto info = sized<surrogate_info>();
    check(surrogate_get_info(model, &info));
    py::list result;
    for (int index = 0; index < info.field_count; ++index) {
        auto field = sized<surrogate_field_info>();
        check(surrogate_get_field_info(model, index, &field));
        using namespace py::literals;
        result.append(py::dict("name"_a = field.name, "unit"_a = field.unit, "components"_a = field.components,
                               "staggering"_a = field.staggering, "predicted"_a = field.predicted != 0));
    }
    return result;
}

py::list parameter_facts(surrogate_model *model) {
    auto info = sized<surrogate_info>();
    check(surrogate_get_info(model, &info));
    py::list result;
    for (int index = 0; index < info.parameter_count; ++index) {
        auto parameter = sized<surrogate_parameter_info>();
        check(surrogate_get_parameter_info(model, index, &parameter));
        using namespace py::literals;
        result.append(py::dict("name"_a = parameter.name, "unit"_a = parameter.unit, "lower"_a = parameter.lower,
                               "upper"_a = parameter.upper, "preset"_a = parameter.preset));
    }
    return result;
}

py::dict statistics_facts(surrogate_model *model) {
    auto counters = sized<surrogate_statistics>();
    check(surrogate_get_statistics(model, &counters));
    using namespace py::literals;
    return py::dict("calls"_a = counters.calls, "ok"_a = counters.ok, "rejected"_a = counters.rejected,
                    "errors"_a = counters.errors, "input_copies"_a = counters.input_copies,
                    "output_passes"_a = counters.output_passes, "allocations"_a = counters.allocations,
                    "pack_seconds"_a = counters.pack_seconds, "program_seconds"_a = counters.program_seconds,
                    "output_seconds"_a = counters.output_seconds, "record_errors"_a = counters.record_errors,
                    "guard_seconds"_a = counters.guard_seconds, "rejected_by"_a = by_reason(counters.rejected_by),
                    "kept_by"_a = by_reason(counters.kept_by), "clipped_cells"_a = counters.clipped_cells,
                    "projections"_a = counters.projections);
}

} // namespace native
