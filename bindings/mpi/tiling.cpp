#include "tiling.h"

namespace surrogate::mpi {

Tiling::Tiling(const Grid &grid, const std::vector<Box> &blocks, const Cut &cut)
    : grid_(grid), blocks_(blocks), cut_(cut) {
    if (regular())
        for (std::size_t k = 0; k < 3; ++k)
            counts_[k] = (grid.shape[k] - 1) / cut.tile_shape[k] + 1;
}

std::int64_t Tiling::size() const {
    if (cut_.mode == SURROGATE_MPI_GATHER)
        return 1;
    return regular() ? product(counts_) : static_cast<std::int64_t>(blocks_.size());
}

Box Tiling::output(std::int64_t tile) const {
    if (cut_.mode == SURROGATE_MPI_GATHER)
        return grid_.domain();
    if (!regular())
        return blocks_[static_cast<std::size_t>(tile)];
    const Index place{tile / counts_[2] / counts_[1], tile / counts_[2] % counts_[1], tile % counts_[2]};
    Box box;
    for (std::size_t k = 0; k < 3; ++k) {
        box.lower[k] = place[k] * cut_.tile_shape[k];
        box.upper[k] = std::min(box.lower[k] + cut_.tile_shape[k], grid_.shape[k]);
    }
    return box;
}

bool Tiling::runs(int rank, std::int64_t tile) const {
    if (regular())
        return blocks_[static_cast<std::size_t>(rank)].holds(output(tile).lower);
    return worker(tile) == rank;
}

int Tiling::worker(std::int64_t tile) const {
    if (cut_.mode == SURROGATE_MPI_GATHER)
        return cut_.reader;
    if (cut_.mode == SURROGATE_MPI_BATCH)
        return cut_.leaders[static_cast<std::size_t>(tile)];
    if (!regular())
        return static_cast<int>(tile);
    const Index first = output(tile).lower;
    int rank = 0;
    while (!blocks_[static_cast<std::size_t>(rank)].holds(first)) // some block does: they cover the domain
        ++rank;
    return rank;
}

} // namespace surrogate::mpi
