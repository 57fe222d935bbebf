// What every call of the library from Python needs.
#pragma once

#include "failure.hpp"

#include <pybind11/pybind11.h>

namespace native {

// Run a call of the library without the GIL: SURROGATE_OK or SURROGATE_REJECTED, errors are thrown.
template <class Call> int called(Call call) {
    pybind11::gil_scoped_release released;
    const int status = call();
    check(status);
    return status;
}

template <class Struct> Struct sized() {
    Struct value{};
    value.struct_size = sizeof(Struct);
    return value;
}

template <class Number> pybind11::tuple axes(const Number (&values)[3], int count) {
    pybind11::tuple result(count);
    for (int axis = 0; axis < count; ++axis)
        result[axis] = values[axis];
    return result;
}

} // namespace native
