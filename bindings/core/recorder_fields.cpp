#include "recorder_fields.h"

#include "fields.h"
#include "rows.h"

#include <algorithm>
#include <cstring>

namespace surrogate::core {

namespace {

bool is_spatial(const surrogate_field &field, int axis) {
    return axis != field.component_axis && axis != field.batch_axis;
}

std::string name_of(const surrogate_field &field) {
    return text("recorded field '", field.name, "'");
}

std::int64_t components_of(const surrogate_field &field) {
    return field.component_axis >= 0 ? field.shape[field.component_axis] : 1;
}

void check_name(const surrogate_field &field) {
    if (!field.name || !*field.name)
        fail(SURROGATE_ERROR_FIELD, "a recorded field has no name; it becomes the name of its dataset");
    if (std::strchr(field.name, '/') || std::strcmp(field.name, ".") == 0)
        fail(SURROGATE_ERROR_FIELD, name_of(field), ": expected a name without '/', it becomes the name of a dataset");
}

void check_axes(const surrogate_field &field) {
    const auto outside = [&](int axis) { return axis < -1 || axis >= field.rank; };
    if (outside(field.component_axis) || outside(field.batch_axis) ||
        (field.component_axis >= 0 && field.component_axis == field.batch_axis))
        fail(SURROGATE_ERROR_SHAPE, name_of(field), ": component_axis ", field.component_axis, " and batch_axis ",
             field.batch_axis, " given, expected two different axes below the rank ", field.rank, ", or -1 for none");
}

template <class From, class To>
void copy_row(char *to, std::int64_t to_stride, const char *from, std::int64_t from_stride, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i)
        *reinterpret_cast<To *>(to + i * to_stride) =
            static_cast<To>(*reinterpret_cast<const From *>(from + i * from_stride));
}

using CopyRow = void (*)(char *, std::int64_t, const char *, std::int64_t, std::int64_t);

CopyRow copy_of(int from, int to) {
    if (from == SURROGATE_FLOAT32)
        return to == SURROGATE_FLOAT32 ? copy_row<float, float> : copy_row<float, double>;
    return to == SURROGATE_FLOAT32 ? copy_row<double, float> : copy_row<double, double>;
}

} // namespace

surrogate_series RecordedSeries::view(bool data) const {
    surrogate_series out{};
    out.group = group.c_str();
    out.name = name.c_str();
    out.unit = has_unit ? unit.c_str() : nullptr;
    out.type = type;
    out.rank = static_cast<std::int32_t>(shape.size());
    out.time_axis = time_axis;
    std::copy(shape.begin(), shape.end(), out.shape);
    out.data = data ? block.data() : nullptr;
    return out;
}

surrogate_field describe_only(const surrogate_field &field) {
    static double nowhere;
    surrogate_field out = field;
    surrogate_field_init(&out, field.name, &nowhere, field.dtype, field.rank, field.shape);
    out.unit = field.unit;
    out.component_axis = field.component_axis;
    out.batch_axis = field.batch_axis;
    return out;
}

RecordedGrid grid_of(const surrogate_field &field) {
    check_name(field);
    check_array(Role::recorded, field);
    if (field.memory != SURROGATE_HOST)
        fail(SURROGATE_ERROR_UNSUPPORTED, name_of(field), ": device memory given; copy the field to the host first");
    check_axes(field);
    RecordedGrid grid;
    for (int axis = 0; axis < field.rank; ++axis) {
        if (!is_spatial(field, axis))
            continue;
        if (grid.rank == 3)
            fail(SURROGATE_ERROR_SHAPE, name_of(field), ": rank ", field.rank,
                 " given, expected at most 3 spatial axes; "
                 "set component_axis, batch_axis if axes count components, states");
        grid.shape[grid.rank++] = field.shape[axis];
    }
    if (grid.rank == 0)
        fail(SURROGATE_ERROR_SHAPE, name_of(field), ": no spatial axis is left, expected 1 to 3");
    if (field.batch_axis >= 0)
        grid.trajectories = field.shape[field.batch_axis];
    return grid;
}

RecordedSeries describe_series(const surrogate_field &field, const RecordedGrid &grid, int precision) {
    RecordedSeries series;
    series.name = field.name;
    series.has_unit = field.unit != nullptr;
    series.unit = field.unit ? field.unit : "";
    series.dtype = field.dtype;
    series.type = precision ? precision : field.dtype;
    series.components = static_cast<int>(components_of(field));
    series.time_axis = 1;
    series.shape = {grid.trajectories, 1};
    series.shape.insert(series.shape.end(), grid.shape, grid.shape + grid.rank);
    const int d = grid.rank;
    series.group = series.components == 1                ? "t0_fields"
                   : d > 1 && series.components == d * d ? "t2_fields"
                                                         : "t1_fields";
    if (series.group == "t2_fields")
        series.shape.insert(series.shape.end(), 2, d);
    else if (series.components > 1)
        series.shape.push_back(series.components);
    return series;
}

void check_same(const RecordedSeries &series, const surrogate_field &field, int precision) {
    if (components_of(field) != series.components)
        fail(SURROGATE_ERROR_FIELD, name_of(field), ": ", components_of(field), " components given, expected ",
             series.components, " as in the first frame");
    if (!precision && field.dtype != series.dtype)
        fail(SURROGATE_ERROR_DTYPE, name_of(field), ": dtype ", field.dtype, " given, expected ", series.dtype,
             " as in the first frame; or set options.precision");
    if ((field.unit != nullptr) != series.has_unit || (field.unit && series.unit != field.unit))
        fail(SURROGATE_ERROR_UNIT, name_of(field), ": unit '", field.unit ? field.unit : "(none)",
             "' given, expected '", series.has_unit ? series.unit : "(none)", "' as in the first frame");
}

std::size_t dense_bytes(const surrogate_field &field, int type) {
    std::int64_t bytes = size_of(type);
    for (int axis = 0; axis < field.rank; ++axis)
        bytes *= field.shape[axis];
    return static_cast<std::size_t>(bytes);
}

void fill_block(char *block, int type, const surrogate_field &field) {
    // Axes: batch, cells (slowest first, unused ones 1), components.
    const std::int64_t components = components_of(field), element = size_of(type);
    std::int64_t cells[3] = {1, 1, 1}, from[3] = {}, to[3] = {};
    int axis = 0;
    for (int k = 0; k < field.rank; ++k)
        if (is_spatial(field, k)) {
            cells[axis] = field.shape[k];
            from[axis++] = field.strides[k];
        }
    to[2] = element * components;
    to[1] = to[2] * cells[2];
    to[0] = to[1] * cells[1];
    const std::int64_t batch = field.batch_axis >= 0 ? field.shape[field.batch_axis] : 1;
    const Rows<2> rows(cells, {to, from});
    const CopyRow copy = copy_of(field.dtype, type);
    for (std::int64_t b = 0; b < batch; ++b)
        for (std::int64_t c = 0; c < components; ++c) {
            char *target = block + b * to[0] * cells[0] + c * element;
            const char *source = static_cast<const char *>(field.data) +
                                 (field.batch_axis >= 0 ? b * field.strides[field.batch_axis] : 0) +
                                 (field.component_axis >= 0 ? c * field.strides[field.component_axis] : 0);
            rows.each([&](const std::int64_t *offset) {
                copy(target + offset[0], rows.strides[0][2], source + offset[1], rows.strides[1][2], rows.length());
                return true;
            });
        }
}

} // namespace surrogate::core
