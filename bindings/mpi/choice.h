// How a domain is predicted: the mode, and the sentence that says why.
#pragma once

#include "tiling.h"

#include <string>

namespace surrogate::mpi {

struct Choice {
    int mode; // enum surrogate_mpi_mode, not AUTO
    std::string sentence;
};

/// asked: options.mode. tiled: TILES or BATCH, which AUTO takes where tiles can be cut. tile_shape: as in Cut.
/// Throws Failure ERROR_UNSUPPORTED where a mode was named that is impossible: with the sentence that says why.
Choice choose_mode(int asked, int tiled, const Grid &grid, const std::vector<Box> &blocks, const Index &tile_shape);

} // namespace surrogate::mpi
