// What one rank does for a prediction: the tiles that it runs, and the boxes that it sends and receives before and
// after. Ranks make their plans from the same blocks, each its own; what one sends is what the other expects.
#pragma once

#include "tiling.h"

namespace surrogate::mpi {

/// A box in one of a rank's dense arrays: its block, which is array 0, or one of its tiles.
struct Place {
    std::size_t array;
    Index at;
};

/// A box that stays on the rank.
struct Move {
    Place from, to;
    Index extent;
};

/// A box on its way to or from another rank.
struct Load {
    Place place;
    Index extent;
    std::int64_t offset; // cells before it in the parcel
};

/// All that goes from one rank to another, in one message; both list the loads in the same order.
struct Parcel {
    int peer;
    std::int64_t cells = 0;
    std::vector<Load> loads;
};

/// By ascending peers.
struct Route {
    std::vector<Parcel> out, in;
    std::vector<Move> stay;
};

struct Plan {
    Box block;
    std::vector<Tile> tiles;     // that this rank runs
    Route inputs;                // from blocks to tiles
    Route increments;            // from tiles to blocks
    std::int64_t exact_halo = 0; // cells of other ranks that the increments of the block depend on
};

/// The plan of `rank`. About a pass over all tiles, and one over all blocks for each tile that the rank runs.
Plan make_plan(const Grid &grid, const std::vector<Box> &blocks, const Tiling &tiling, int rank);

} // namespace surrogate::mpi
