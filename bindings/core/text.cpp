#include "text.h"

#include <algorithm>
#include <numeric>

namespace surrogate::core {

std::string list_text(const std::int64_t *values, int count) {
    std::string out = "[";
    for (int i = 0; i < count; ++i)
        out += text(i ? ", " : "", values[i]);
    return out + "]";
}

std::string names_text(const std::vector<std::string> &names) {
    std::string out;
    for (const auto &name : names)
        out += text(out.empty() ? "'" : ", '", name, "'");
    return out;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Levenshtein distance, blind to case.
static std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (lower(a[i]) != lower(b[j]));
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j + 1] + 1, row[j] + 1});
        }
    }
    return row.back();
}

std::string unit_suffix(const std::string &unit) {
    return unit == "1" || unit.empty() ? std::string() : " " + unit;
}

std::string nearest(std::string_view name, const std::vector<std::string> &candidates) {
    name = name.substr(0, 256); // longer names are near to nothing
    std::string best;
    std::size_t least = std::max<std::size_t>(1, name.size() / 2) + 1;
    for (const auto &candidate : candidates) {
        const std::size_t d = distance(name, std::string_view(candidate).substr(0, 256));
        if (d < least) {
            least = d;
            best = candidate;
        }
    }
    return best;
}

std::string suggestion(std::string_view name, const std::vector<std::string> &candidates) {
    const std::string near = nearest(name, candidates);
    return near.empty() ? std::string() : text(" (did you mean '", near, "'?)");
}

} // namespace surrogate::core
