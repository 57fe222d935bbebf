// The tiles of a domain and the ranks that run them: all modes are such lists. Every rank can say any entry, none holds
// the list.
#pragma once

#include "tile.h"

#include <surrogate/surrogate_mpi.h>

#include <vector>

namespace surrogate::mpi {

/// How a domain is cut; equal on all ranks.
struct Cut {
    int mode = 0;             // enum surrogate_mpi_mode, not AUTO
    int reader = 0;           // GATHER: where the domain is predicted
    std::vector<int> leaders; // BATCH: the rank that runs the tile of each rank
    Index tile_shape{};       // TILES: of the tiles without halo; 0: they are the blocks
};

class Tiling {
  public:
    /// The blocks are those of all ranks, covering the domain once; they and the cut are referred to.
    Tiling(const Grid &grid, const std::vector<Box> &blocks, const Cut &cut);

    std::int64_t size() const;
    Tile operator[](std::int64_t tile) const { return cut_tile(grid_, output(tile)); }
    /// Whether `rank` runs the tile; cheaper than to ask for the one that does.
    bool runs(int rank, std::int64_t tile) const;
    int worker(std::int64_t tile) const;

  private:
    bool regular() const { return cut_.mode == SURROGATE_MPI_TILES && cut_.tile_shape[2] > 0; }
    Box output(std::int64_t tile) const;

    const Grid &grid_;
    const std::vector<Box> &blocks_;
    const Cut &cut_;
    Index counts_{1, 1, 1}; // tiles along each axis, if regular
};

} // namespace surrogate::mpi
