#include "message.hpp"

#include <algorithm>
#include <cstdio>
#include <new>

#include "surrogate/surrogate.h"

namespace surrogate_torch {
namespace {

constexpr size_t kLongest = 600;

// "RuntimeError: text" stands at the end of an interpreter's traceback, below the program's source lines.
std::string after_traceback(const std::string &text) {
    for (const char *mark : {"RuntimeError: ", "Error: "}) {
        const size_t at = text.rfind(mark);
        if (at != std::string::npos)
            return text.substr(at + std::string(mark).size());
    }
    return text;
}

std::string before_backtrace(const std::string &text) {
    return text.substr(0, std::min(text.find("\nException raised from"), text.find("\nDebug info for")));
}

std::string one_line(const std::string &text) {
    std::string line;
    for (char c : text) {
        const bool blank = c == '\n' || c == '\t' || c == '\r' || c == ' ';
        if (!blank)
            line += c;
        else if (!line.empty() && line.back() != ' ')
            line += ' ';
    }
    while (!line.empty() && line.back() == ' ')
        line.pop_back();
    return line;
}

} // namespace

std::string readable(const std::string &torch_message) {
    std::string line = one_line(before_backtrace(after_traceback(torch_message)));
    if (line.empty())
        line = one_line(torch_message);
    if (line.size() > kLongest)
        line = line.substr(0, kLongest) + " ...";
    return line.empty() ? "no reason given" : line;
}

void write(surrogate_engine_error *error, const std::string &text) {
    if (error != nullptr && error->text != nullptr && error->size > 0)
        std::snprintf(error->text, error->size, "%s", text.c_str());
}

int report(surrogate_engine_error *error, int otherwise, const std::string &where) noexcept {
    try {
        try {
            throw;
        } catch (const Failure &failure) {
            write(error, failure.what());
            return failure.status;
        } catch (const std::bad_alloc &) {
            write(error, where + ": out of memory");
            return SURROGATE_ERROR_MEMORY;
        } catch (const std::exception &failure) {
            write(error, where + ": " + readable(failure.what()));
            return otherwise;
        } catch (...) {
            write(error, where + ": an exception of unknown type");
            return otherwise;
        }
    } catch (...) {
        return SURROGATE_ERROR_MEMORY;
    }
}

} // namespace surrogate_torch
