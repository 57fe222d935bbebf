// Failures inside the library are exceptions; at the boundary one guard turns them into a status and a text.
#pragma once

#include "fpenv.h"
#include "text.h"

#include <surrogate/surrogate.h>

#include <exception>
#include <new>

namespace surrogate::core {

class Error : public std::exception {
  public:
    Error(int status, std::string text) : status_(status), text_(std::move(text)) {}
    int status() const noexcept { return status_; }
    const std::string &text() const noexcept { return text_; }
    const char *what() const noexcept override { return text_.c_str(); }

  private:
    int status_;
    std::string text_;
};

/// Throw an Error whose text is all `parts` in a row. The text says what was given, what was expected, what to do;
/// the guard puts the name of the public function before it.
template <class... Parts> [[noreturn]] void fail(int status, const Parts &...parts) {
    throw Error(status, text(parts...));
}

/// Set the calling thread's text to "where: what".
void set_last_error(const char *where, std::string_view what) noexcept;
const char *last_error() noexcept;

/// Run `body`, which returns a status, as the public function `where`: no exception and no floating-point state
/// gets out.
template <class Body> int guarded(const char *where, Body &&body) noexcept {
    const FloatingPointHold hold;
    try {
        return body();
    } catch (const Error &error) {
        set_last_error(where, error.text());
        return error.status();
    } catch (const std::bad_alloc &) {
        set_last_error(where, "out of memory; free some, or use a smaller grid or batch");
        return SURROGATE_ERROR_MEMORY;
    } catch (const std::exception &error) {
        set_last_error(where, error.what());
    } catch (...) {
        set_last_error(where, "an exception of unknown type; this is a defect of the library or of an engine");
    }
    return SURROGATE_ERROR_INTERNAL;
}

} // namespace surrogate::core
