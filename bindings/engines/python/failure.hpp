// A failure with the status that it maps to; engine.cpp turns it into status and text.
#pragma once

#include <surrogate/surrogate.h>

#include <stdexcept>
#include <string>

namespace surrogate_python {

struct Failure : std::runtime_error {
    explicit Failure(const std::string &text, int status_ = SURROGATE_ERROR_ENGINE)
        : std::runtime_error(text), status(status_) {}
    int status;
};

} // namespace surrogate_python
