#include "recorder_frame.h"

#include <string>

namespace surrogate::mpi {

namespace {

bool is_spatial(const surrogate_field &field, int axis) {
    return axis != field.component_axis;
}

std::int64_t components_of(const surrogate_field &field) {
    return field.component_axis >= 0 ? field.shape[field.component_axis] : 1;
}

/// The extents of the spatial axes; their number.
int spatial_shape(const surrogate_field &field, std::int64_t *shape) {
    int rank = 0;
    for (int axis = 0; axis < field.rank; ++axis)
        if (is_spatial(field, axis))
            shape[rank++] = field.shape[axis];
    return rank;
}

void check_field(const surrogate_field &field, int dtype) {
    std::size_t size = 0;
    check(surrogate_recorder_pack(nullptr, &size, &field, dtype));
    if (field.batch_axis >= 0)
        fail(SURROGATE_ERROR_UNSUPPORTED, "recorded field '", field.name,
             "' has a batch axis, which a recording of several ranks cannot have; write one file a state");
}

/// The domain, and in it the block of `shape` at `origin`.
void place_block(Frame &frame, const std::int64_t *shape, const std::int64_t *origin,
                 const std::int64_t *global_shape) {
    if (!origin || !global_shape)
        fail(SURROGATE_ERROR_ARGUMENT, origin ? "global_shape" : "origin",
             " is NULL, expected one number for each spatial axis (NULL is legal on one rank alone)");
    std::int64_t cells = 1;
    for (int axis = 0; axis < frame.grid.rank; ++axis) {
        if (global_shape[axis] < 1 || cells > MOST_CELLS / global_shape[axis])
            fail(SURROGATE_ERROR_SHAPE, "global_shape[", axis, "] ", global_shape[axis],
                 " given, expected 1 or more, and no more than 2^56 cells in all");
        cells *= global_shape[axis];
        if (origin[axis] < 0 || shape[axis] > global_shape[axis] || origin[axis] > global_shape[axis] - shape[axis])
            fail(SURROGATE_ERROR_SHAPE, "axis ", axis, ": a block of ", shape[axis], " cells from ", origin[axis],
                 " on given, expected one inside the domain of ", global_shape[axis], " cells; is origin right?");
    }
    frame.grid.shape = from_c(global_shape, frame.grid.rank, 1);
    frame.block.lower = from_c(origin, frame.grid.rank, 0);
    const Index extent = from_c(shape, frame.grid.rank, 1);
    for (std::size_t k = 0; k < 3; ++k)
        frame.block.upper[k] = frame.block.lower[k] + extent[k];
}

} // namespace

std::size_t Frame::cell_bytes(std::size_t i) const {
    return static_cast<std::size_t>(components_of(fields[i])) * (dtype(i) == SURROGATE_FLOAT32 ? 4 : 8);
}

surrogate_field Frame::whole(std::size_t i) const {
    surrogate_field field = fields[i];
    std::int64_t extents[3];
    to_c(extents, grid.shape, grid.rank);
    for (int axis = 0, k = 0; axis < field.rank; ++axis)
        if (is_spatial(field, axis))
            field.shape[axis] = extents[k++];
    field.data = nullptr;
    return field;
}

Frame read_frame(double time, const surrogate_field *fields, std::size_t count, std::int32_t precision,
                 const std::int64_t *origin, const std::int64_t *global_shape) {
    if (!fields || count == 0)
        fail(SURROGATE_ERROR_ARGUMENT, fields ? "count is 0" : "fields is NULL", ", expected at least one field");
    Frame frame;
    frame.time = time;
    frame.fields = fields;
    frame.count = count;
    frame.precision = precision;
    std::int64_t shape[SURROGATE_MAX_RANK] = {};
    for (std::size_t i = 0; i < count; ++i) {
        check_field(fields[i], frame.dtype(i));
        std::int64_t other[SURROGATE_MAX_RANK] = {};
        const int rank = spatial_shape(fields[i], i == 0 ? shape : other);
        if (i == 0)
            frame.grid.rank = rank;
        else if (rank != frame.grid.rank || !std::equal(shape, shape + rank, other))
            fail(SURROGATE_ERROR_SHAPE, "recorded fields '", fields[0].name, "' and '", fields[i].name,
                 "' are of different spatial shapes, expected the same block");
    }
    place_block(frame, shape, origin, global_shape);
    return frame;
}

std::vector<Quantity> quantities_of(const Frame &frame) {
    static constexpr const char *EXTENTS[] = {"global_shape[0]", "global_shape[1]", "global_shape[2]"};
    std::string names, units, kinds;
    for (std::size_t i = 0; i < frame.count; ++i) {
        const surrogate_field &field = frame.fields[i];
        names += std::string(field.name) + '/';
        units += field.unit ? std::string("/") + field.unit : "-";
        kinds += text(frame.precision ? 0 : field.dtype, "*", components_of(field), " ");
    }
    std::vector<Quantity> all = {Quantity::real("time", frame.time),
                                 Quantity::integer("count", static_cast<std::int64_t>(frame.count)),
                                 Quantity::digest("the fields' names", names.c_str()),
                                 Quantity::digest("the fields' units", units.c_str()),
                                 Quantity::digest("the fields' dtypes and components", kinds.c_str()),
                                 Quantity::integer("the number of spatial axes", frame.grid.rank)};
    std::int64_t extents[3] = {};
    to_c(extents, frame.grid.shape, frame.grid.rank);
    for (std::size_t axis = 0; axis < 3; ++axis)
        all.push_back(Quantity::integer(EXTENTS[axis], extents[axis]));
    return all;
}

std::vector<Quantity> quantities_of(const char *path, const surrogate_recorder_options &options, double deadline) {
    const bool parameters = options.parameter_names && options.parameter_values;
    std::string names;
    for (std::size_t i = 0; parameters && i < options.parameter_count; ++i)
        names += std::string(options.parameter_names[i] ? options.parameter_names[i] : "") + '/';
    const std::size_t values = parameters ? options.parameter_count * sizeof(double) : 0;
    return {Quantity::digest("path", path),
            Quantity::real("deadline", deadline),
            Quantity::digest("options.name", options.name),
            Quantity::digest("options.description", options.description),
            Quantity::digest("options.time_unit", options.time_unit),
            Quantity::digest("options.length_unit", options.length_unit),
            Quantity::digest("options.spacing", options.spacing, sizeof options.spacing),
            Quantity::digest("options.origin", options.origin, sizeof options.origin),
            Quantity::digest("options.boundary", options.boundary, sizeof options.boundary),
            Quantity::digest("options.parameter_names", names.c_str()),
            Quantity::digest("options.parameter_values", options.parameter_values, values),
            Quantity::integer("options.trajectory", options.trajectory),
            Quantity::integer("options.seed", static_cast<std::int64_t>(options.seed)),
            Quantity::integer("options.precision", options.precision),
            Quantity::integer("options.compression", options.compression),
            Quantity::digest("options.chunk", options.chunk, sizeof options.chunk),
            Quantity::integer("options.overwrite", options.overwrite)};
}

} // namespace surrogate::mpi
