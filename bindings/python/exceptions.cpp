#include "exceptions.hpp"

#include "failure.hpp"

#include <pybind11/pybind11.h>

namespace py = pybind11;

namespace native {
namespace {

// The package says which exception a status becomes, by setting `make_error`; without it RuntimeError.
void raise(const Failure &failure) {
    const py::object make = py::module_::import("surrogate._native").attr("make_error");
    if (make.is_none()) {
        PyErr_SetString(PyExc_RuntimeError, failure.text.c_str());
        return;
    }
    // The text may quote bytes of a damaged file: never fail while reporting a failure.
    const auto text = py::reinterpret_steal<py::object>(
        PyUnicode_DecodeUTF8(failure.text.data(), static_cast<Py_ssize_t>(failure.text.size()), "replace"));
    const py::object error = make(failure.status, text);
    PyErr_SetObject(reinterpret_cast<PyObject *>(Py_TYPE(error.ptr())), error.ptr());
}

} // namespace

void translate(std::exception_ptr pointer) {
    try {
        if (pointer)
            std::rethrow_exception(pointer);
    } catch (const Failure &failure) {
        try {
            raise(failure);
        } catch (py::error_already_set &error) { // Ctrl-C, which may come in any line of Python: it goes first
            error.restore();
        }
    }
}

} // namespace native
