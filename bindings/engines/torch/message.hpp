// Texts of failures: short enough to read in a solver's log.
#pragma once

#include <stdexcept>
#include <string>

#include "engine.h"

namespace surrogate_torch {

// A failure that we found ourselves, with the status that it maps to.
struct Failure : std::runtime_error {
    Failure(int status_, const std::string &text) : std::runtime_error(text), status(status_) {}
    int status;
};

// torch's own words without C++ backtrace and TorchScript traceback, on one line, at most 600 characters.
std::string readable(const std::string &torch_message);

void write(surrogate_engine_error *error, const std::string &text);

// To be called inside a catch block: writes the text of the exception in flight and returns its status,
// `otherwise` for exceptions that are torch's.
int report(surrogate_engine_error *error, int otherwise, const std::string &where) noexcept;

} // namespace surrogate_torch
