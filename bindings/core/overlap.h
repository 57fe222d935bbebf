// Do two strided arrays share memory?
#pragma once

#include <cstdint>

namespace surrogate::core {

/// A strided array of elements of one size; strides in bytes, any sign.
struct Strided {
    static constexpr int MAX_RANK = 6;
    std::uintptr_t address = 0; // of element [0]...[0]
    int rank = 0;
    std::int64_t shape[MAX_RANK] = {};
    std::int64_t strides[MAX_RANK] = {};
};

/// First and last byte of an array.
struct Extent {
    std::uintptr_t first, last;
};
Extent extent(const Strided &a, std::int64_t element);

bool same_array(const Strided &a, const Strided &b);

/// Whether an element of `a` shares a byte with an element of `b`. Exact for all but contrived strides, where the
/// search is cut off and the answer is true.
bool share_memory(const Strided &a, const Strided &b, std::int64_t element);

/// Whether two elements of `a` share a byte (a stride of 0, for instance). May be true for contrived strides that
/// happen to avoid it.
bool overlaps_itself(const Strided &a, std::int64_t element);

} // namespace surrogate::core
