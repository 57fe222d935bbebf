#include "arrays.hpp"

#include "failure.hpp"

namespace py = pybind11;

namespace native {
namespace {

constexpr int numpy_float32 = 11; // NPY_FLOAT, NPY_DOUBLE: fixed by numpy's ABI
constexpr int numpy_float64 = 12;

std::string label(const char *name) {
    return name ? "field '" + std::string(name) + "'" : std::string("the state");
}

std::string shape_text(const py::array &array) {
    return py::str(array.attr("shape")).cast<std::string>();
}

std::int32_t dtype_of(const py::array &array, const char *name) {
    const py::dtype dtype = array.dtype();
    const bool native_order = dtype.byteorder() == '=' || dtype.byteorder() == '|';
    if (native_order && dtype.num() == numpy_float32)
        return SURROGATE_FLOAT32;
    if (native_order && dtype.num() == numpy_float64)
        return SURROGATE_FLOAT64;
    throw Failure(SURROGATE_ERROR_DTYPE,
                  label(name) + " has dtype " + py::str(dtype.attr("str")).cast<std::string>() +
                      "; expected float32 or float64 in the machine's byte order; convert it, for instance with "
                      "array.astype('float64')");
}

} // namespace

surrogate_field describe(const py::array &array, Access access, const char *name, const char *unit,
                         std::int32_t component_axis, std::int32_t batch_axis) {
    if (access == Access::write && !array.writeable())
        throw Failure(SURROGATE_ERROR_ARGUMENT,
                      "output: " + label(name) + " is a read-only array; give one that can be written");
    if (array.ndim() > SURROGATE_MAX_RANK)
        throw Failure(SURROGATE_ERROR_SHAPE, label(name) + " has shape " + shape_text(array) + "; at most " +
                                                 std::to_string(SURROGATE_MAX_RANK) + " axes are allowed");
    surrogate_field field{};
    field.name = name;
    field.unit = unit;
    field.data = const_cast<void *>(array.data());
    field.dtype = dtype_of(array, name);
    field.memory = SURROGATE_HOST;
    field.rank = static_cast<std::int32_t>(array.ndim());
    field.component_axis = component_axis;
    field.batch_axis = batch_axis;
    for (std::int32_t axis = 0; axis < field.rank; ++axis) {
        field.shape[axis] = array.shape(axis);
        field.strides[axis] = array.strides(axis);
    }
    return field;
}

void describe_channels(std::vector<surrogate_field> &fields, const py::array &array, Access access,
                       const std::vector<Channels> &channels, std::int32_t channel_axis, std::int32_t batch_axis) {
    const surrogate_field whole = describe(array, access, nullptr, nullptr, channel_axis, batch_axis);
    std::int64_t expected = 0;
    for (const Channels &entry : channels)
        expected += entry.components;
    const std::int64_t given = channel_axis < 0 ? 1 : whole.shape[channel_axis];
    if (given != expected) {
        std::string names;
        for (const Channels &entry : channels)
            names += (names.empty() ? "" : ", ") + entry.name + ":" + std::to_string(entry.components);
        throw Failure(SURROGATE_ERROR_SHAPE, "the state has shape " + shape_text(array) + ", that is " +
                                                 std::to_string(given) + " channels; expected " +
                                                 std::to_string(expected) + " (field:components " + names + ")");
    }
    std::int64_t first = 0;
    for (const Channels &entry : channels) {
        surrogate_field field = whole;
        field.name = entry.name.c_str();
        if (channel_axis >= 0) {
            field.data = static_cast<char *>(whole.data) + first * whole.strides[channel_axis];
            field.shape[channel_axis] = entry.components;
        }
        first += entry.components;
        fields.push_back(field);
    }
}

} // namespace native
