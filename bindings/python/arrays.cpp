#include "arrays.hpp"

#include "failure.hpp"

#include <pybind11/stl.h>

#include <algorithm>

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

std::string shape_text(const DeviceArray &array) {
    return py::str(py::tuple(py::cast(array.shape))).cast<std::string>();
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

std::int32_t dtype_of(const DeviceArray &array, const char *name) {
    if (array.typestr == "<f4" || array.typestr == "<f8")
        return array.typestr == "<f4" ? SURROGATE_FLOAT32 : SURROGATE_FLOAT64;
    throw Failure(SURROGATE_ERROR_DTYPE, label(name) + " has dtype " + array.typestr + "; expected float32 or float64");
}

// Memory, device, shape and strides.
void place(surrogate_field &field, const py::array &array) {
    field.data = const_cast<void *>(array.data());
    field.memory = SURROGATE_HOST;
    std::copy_n(array.shape(), field.rank, field.shape);
    std::copy_n(array.strides(), field.rank, field.strides);
}

void place(surrogate_field &field, const DeviceArray &array) {
    field.data = reinterpret_cast<void *>(array.pointer);
    field.memory = SURROGATE_CUDA;
    field.device = array.device;
    std::copy_n(array.shape.begin(), field.rank, field.shape);
    std::copy_n(array.strides.begin(), field.rank, field.strides);
}

std::size_t rank_of(const py::array &array) {
    return static_cast<std::size_t>(array.ndim());
}

std::size_t rank_of(const DeviceArray &array) {
    return array.shape.size();
}

bool is_writeable(const py::array &array) {
    return array.writeable();
}

bool is_writeable(const DeviceArray &array) {
    return array.writeable;
}

template <class Kind>
surrogate_field describe_kind(const Kind &array, Access access, const char *name, const char *unit,
                              std::int32_t component_axis, std::int32_t batch_axis) {
    if (access == Access::write && !is_writeable(array))
        throw Failure(SURROGATE_ERROR_ARGUMENT,
                      "output: " + label(name) + " is a read-only array; give one that can be written");
    if (rank_of(array) > SURROGATE_MAX_RANK)
        throw Failure(SURROGATE_ERROR_SHAPE, label(name) + " has shape " + shape_text(array) + "; at most " +
                                                 std::to_string(SURROGATE_MAX_RANK) + " axes are allowed");
    surrogate_field field{};
    field.name = name;
    field.unit = unit;
    field.dtype = dtype_of(array, name);
    field.rank = static_cast<std::int32_t>(rank_of(array));
    field.component_axis = component_axis;
    field.batch_axis = batch_axis;
    place(field, array);
    return field;
}

} // namespace

surrogate_field describe(const Array &array, Access access, const char *name, const char *unit,
                         std::int32_t component_axis, std::int32_t batch_axis) {
    return std::visit(
        [&](const auto &kind) { return describe_kind(kind, access, name, unit, component_axis, batch_axis); }, array);
}

void describe_channels(std::vector<surrogate_field> &fields, const Array &array, Access access,
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
        throw Failure(SURROGATE_ERROR_SHAPE, "the state has shape " +
                                                 std::visit([](const auto &kind) { return shape_text(kind); }, array) +
                                                 ", that is " + std::to_string(given) + " channels; expected " +
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
