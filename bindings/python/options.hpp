// The options of the library with Python's types.
#pragma once

#include <surrogate/surrogate.h>

#include <pybind11/pybind11.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace native {

struct OpenOptions {
    std::optional<std::string> engine, program, device, precision, guards, engine_path, engine_options, overlay,
        record_calls;
    int threads = 0;
    int verify = SURROGATE_VERIFY_HASHES;
    bool preload = false;
    pybind11::object log; // callable (level: int, text: str), or None

    // For as long as these options live, and stay where they are: the log callback is used by the opened model.
    surrogate_open_options c();
};

struct StepOptions {
    std::int64_t step = -1;
    double time; // NaN: not given
    std::uint64_t seed = 0;
    std::int64_t member = 0;
    std::optional<std::vector<double>> parameters;
    std::int64_t members = 1;
    std::uintptr_t stream = 0; // cudaStream_t
    std::int64_t steps = 0;    // 0: the preset
    double guidance;           // NaN: the preset
    std::optional<std::string> caption;

    surrogate_step_options c() const; // borrows `parameters` and `caption`
};

inline const char *text_or_null(const std::optional<std::string> &text) {
    return text ? text->c_str() : nullptr;
}

} // namespace native
