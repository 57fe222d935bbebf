// A status of the C API on its way to becoming a Python exception.
#pragma once

#include <surrogate/surrogate.h>

#include <string>
#include <utility>

namespace native {

struct Failure {
    int status;
    std::string text;
    Failure(int status_, std::string text_) : status(status_), text(std::move(text_)) {}
};

// Must be called on the thread that made the failing call, before its next one.
inline void check(int status) {
    if (status < 0)
        throw Failure(status, surrogate_last_error());
}

} // namespace native
