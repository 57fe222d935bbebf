// How a Failure becomes a Python exception.
#pragma once

#include <exception>

namespace native {

// To be registered by each module (py::register_local_exception_translator).
void translate(std::exception_ptr pointer);

} // namespace native
