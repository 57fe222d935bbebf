// Arrays, numpy's and those in CUDA memory, described as surrogate_field: nothing is copied, any strides are passed on.
#pragma once

#include <surrogate/surrogate.h>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace native {

enum class Access { read, write };

// An array in CUDA memory; the package fills it from torch, cupy or __cuda_array_interface__.
struct DeviceArray {
    pybind11::object owner; // keeps the memory alive
    std::uintptr_t pointer = 0;
    std::string typestr;                      // "<f4", "<f8"
    std::vector<std::int64_t> shape, strides; // strides in bytes
    std::int32_t device = 0;                  // CUDA ordinal
    bool writeable = true;
};

using Array = std::variant<pybind11::array, DeviceArray>;

// What the short form needs to know of a model: the channels of each field, in the manifest's order.
struct Channels {
    std::string name;
    std::int64_t components;
};

// A whole array as one field. `name` and `unit` are borrowed; the array must outlive the description.
// Throws Failure: dtype, rank, or an output that is read-only.
surrogate_field describe(const Array &array, Access access, const char *name, const char *unit,
                         std::int32_t component_axis, std::int32_t batch_axis);

// An array whose axis `channel_axis` (-1: a model of one channel) holds all components of all fields, as fields.
// They are added to `fields`.
void describe_channels(std::vector<surrogate_field> &fields, const Array &array, Access access,
                       const std::vector<Channels> &channels, std::int32_t channel_axis, std::int32_t batch_axis);

} // namespace native
