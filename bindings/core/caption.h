// From a caption to the token ids that a program reads; surrogate/text.py gives the same.
#pragma once

#include "manifest.h"

namespace surrogate::core {

/// Whether a character belongs to words, ASCII capitals made small before: [a-z0-9.+-]. All others stand between words.
inline bool in_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '+' || c == '-';
}

/// Write `spec.length` token ids to `ids`: one a word of `caption` (UTF-8; NULL: none), 1 for a word that is not in the
/// vocabulary, then 0. Throws ERROR_PARAMETER if it has more words than that.
void write_tokens(double *ids, const char *caption, const TextSpec &spec);

} // namespace surrogate::core
