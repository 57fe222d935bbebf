// Building messages: no streams (they follow the host's locale), numbers by std::to_chars.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace surrogate::core {

inline void append(std::string &out, std::string_view part) {
    out.append(part);
}

template <class Number, std::enable_if_t<std::is_arithmetic_v<Number>, int> = 0>
void append(std::string &out, Number number) {
    if (number != number) { // to_chars would print the sign of a NaN
        out.append("nan");
        return;
    }
    char digits[64];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, end);
}

/// Text of all `parts` in a row: strings and numbers.
template <class... Parts> std::string text(const Parts &...parts) {
    std::string out;
    (append(out, parts), ...);
    return out;
}

/// "[64, 64]"
std::string list_text(const std::int64_t *values, int count);

/// "'rho', 'p'"
std::string names_text(const std::vector<std::string> &names);

/// " m s-1" behind a number; "" for the unit "1", which nobody says.
std::string unit_suffix(const std::string &unit);

/// The candidate that looks most like `name`; "" if none is near.
std::string nearest(std::string_view name, const std::vector<std::string> &candidates);

/// " (did you mean 'rho'?)", or "" if no candidate is near.
std::string suggestion(std::string_view name, const std::vector<std::string> &candidates);

} // namespace surrogate::core
