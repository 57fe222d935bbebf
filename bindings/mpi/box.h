// Boxes of cells. Axes are (z, y, x): a domain of fewer axes has leading axes of one cell.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace surrogate::mpi {

using Index = std::array<std::int64_t, 3>;

inline std::int64_t product(const Index &shape) {
    return shape[0] * shape[1] * shape[2];
}

/// The cells lower <= cell < upper. Halos of a periodic domain reach below 0 and above its shape.
struct Box {
    Index lower{}, upper{};

    Index shape() const { return {upper[0] - lower[0], upper[1] - lower[1], upper[2] - lower[2]}; }
    bool empty() const { return upper[0] <= lower[0] || upper[1] <= lower[1] || upper[2] <= lower[2]; }
    std::int64_t cells() const { return empty() ? 0 : product(shape()); }
    bool holds(const Index &cell) const {
        bool inside = true;
        for (std::size_t k = 0; k < 3; ++k)
            inside = inside && lower[k] <= cell[k] && cell[k] < upper[k];
        return inside;
    }
};

inline bool operator==(const Box &a, const Box &b) {
    return a.lower == b.lower && a.upper == b.upper;
}
inline bool operator!=(const Box &a, const Box &b) {
    return !(a == b);
}

/// The cells of both; empty() if there are none.
inline Box intersection(const Box &a, const Box &b) {
    Box both;
    for (std::size_t k = 0; k < 3; ++k) {
        both.lower[k] = std::max(a.lower[k], b.lower[k]);
        both.upper[k] = std::min(a.upper[k], b.upper[k]);
    }
    return both;
}

/// From the box's first cell to `cell`.
inline Index offset_in(const Box &box, const Index &cell) {
    return {cell[0] - box.lower[0], cell[1] - box.lower[1], cell[2] - box.lower[2]};
}

/// a / b and a modulo b for b > 0, rounded towards minus infinity.
inline std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
    return a / b - (a % b < 0);
}
inline std::int64_t floor_modulo(std::int64_t a, std::int64_t b) {
    const std::int64_t rest = a % b;
    return rest < 0 ? rest + b : rest;
}

} // namespace surrogate::mpi
