// SHA-256 (FIPS 180-4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace surrogate::core {

/// Digest of `size` bytes, as 64 lower-case hexadecimal digits.
std::string sha256(const void *data, std::size_t size);

} // namespace surrogate::core
