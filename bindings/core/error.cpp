#include "error.h"

namespace surrogate::core {

static thread_local std::string last_text;

void set_last_error(const char *where, std::string_view what) noexcept {
    static thread_local std::string next; // apart: `where` or `what` may stand in the last text
    try {
        next.clear();
        next.append(where).append(": ").append(what);
        last_text.assign(next);
    } catch (...) {
        last_text.clear();
        last_text.append("no memory", 9); // fits the string's own buffer
    }
}

const char *last_error() noexcept {
    return last_text.c_str();
}

} // namespace surrogate::core
