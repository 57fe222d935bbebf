#include "caption.h"

#include "error.h"

#include <algorithm>

namespace surrogate::core {

namespace {

constexpr std::int32_t UNKNOWN_ID = 1;

std::int32_t id_of(std::string_view word, const TextSpec &spec) {
    const auto found = spec.ids.find(word);
    return found == spec.ids.end() ? UNKNOWN_ID : found->second;
}

} // namespace

void write_tokens(double *ids, const char *caption, const TextSpec &spec) {
    std::int64_t count = 0;
    for (const char *c = caption ? caption : ""; *c;) {
        const char *begin = c;
        while (in_word(small_letter(*c)))
            ++c;
        if (c == begin) {
            ++c;
            continue;
        }
        if (count < spec.length)
            ids[count] = id_of({begin, static_cast<std::size_t>(c - begin)}, spec);
        ++count;
    }
    if (count > spec.length)
        fail(SURROGATE_ERROR_PARAMETER, "caption of ", count, " words given, expected at most ", spec.length,
             ", the model's text length; shorten it");
    std::fill(ids + count, ids + spec.length, 0.0);
}

} // namespace surrogate::core
