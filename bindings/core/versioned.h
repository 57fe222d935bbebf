// Structs that grow with the library: their first member tells how large the caller's is.
#pragma once

#include "error.h"

#include <algorithm>
#include <cstring>

namespace surrogate::core {

/// The size a caller's struct says that it has, if it is one that a header could have.
template <class Struct> std::size_t given_size(const Struct *given, const char *what, const char *advice) {
    constexpr std::size_t LEAST = 2 * sizeof(std::size_t), MOST = 4096;
    if (!given)
        fail(SURROGATE_ERROR_ARGUMENT, what, " is NULL, expected the address of a struct");
    if (given->struct_size < LEAST || given->struct_size > MOST)
        fail(SURROGATE_ERROR_ARGUMENT, what, "->struct_size is ", given->struct_size, ", expected ", sizeof(Struct),
             "; ", advice);
    return given->struct_size;
}

/// Set the caller's struct of `size` bytes to `defaults`, and to zero what this library does not know.
template <class Struct> void init_versioned(Struct *target, std::size_t size, Struct defaults) {
    if (!target || size < sizeof(std::size_t))
        return;
    defaults.struct_size = size;
    std::memset(static_cast<void *>(target), 0, size);
    std::memcpy(static_cast<void *>(target), &defaults, std::min(size, sizeof(Struct)));
}

/// The caller's options over `defaults`: members that its header did not have keep their defaults.
template <class Struct>
Struct read_versioned(const Struct *given, Struct defaults, const char *what, const char *advice) {
    const std::size_t size = std::min(given_size(given, what, advice), sizeof(Struct));
    std::memcpy(static_cast<void *>(&defaults), given, size);
    return defaults;
}

/// Fill the members that the caller's header has, struct_size excepted.
template <class Struct> void write_versioned(Struct *given, const Struct &values, const char *what) {
    const std::size_t size =
        std::min(given_size(given, what, "set it to sizeof of the struct before the call"), sizeof(Struct));
    constexpr std::size_t skip = sizeof(std::size_t);
    std::memcpy(reinterpret_cast<char *>(given) + skip, reinterpret_cast<const char *>(&values) + skip, size - skip);
}

} // namespace surrogate::core
