// The whole domain as tiling sees it: its shape, and what the manifest says about how a program may be applied to it.
#pragma once

#include "box.h"

#include <surrogate/surrogate.h>

#include <string>

namespace surrogate::mpi {

/// Cells of a domain: nothing real comes near this, and sizes in bytes stay far from overflow.
constexpr std::int64_t MOST_CELLS = std::int64_t{1} << 56;

struct Grid {
    int rank = 0; // axes of the domain; the leading 3 - rank of the arrays below are one cell that a wall ends
    Index shape{1, 1, 1};
    Index receptive_field{}, stride{1, 1, 1}, multiple_of{1, 1, 1}, minimum_shape{1, 1, 1};
    std::array<bool, 3> periodic{};
    bool fixed = false;              // the program takes one shape only
    bool reduces_over_space = false; // every output depends on the whole domain

    Box domain() const { return {{}, shape}; }
};

/// Three numbers of the C API, slowest axis first, as (z, y, x).
Index from_c(const std::int64_t *values, int rank, std::int64_t unused);

/// The other way: values[3], unused entries 0.
void to_c(std::int64_t *values, const Index &index, int rank);

/// The domain of `global_shape` under a model's facts. Throws Failure ERROR_ARGUMENT where global_shape is not given,
/// ERROR_SHAPE where it breaks the model's grid rule or is beyond 2^56 cells.
Grid make_grid(const surrogate_info &info, const std::int64_t *global_shape);

/// "[3, 4]": as many numbers as the domain has axes.
std::string index_text(const Index &index, int rank);

/// "[0:8, 4:12]"
std::string box_text(const Box &box, int rank);

} // namespace surrogate::mpi
