#include "choice.h"

#include "failure.h"

namespace surrogate::mpi {

namespace {

/// Whether some tile ends inside the domain along an axis.
bool cut_along(std::size_t axis, const Grid &grid, const std::vector<Box> &blocks, const Index &tile_shape) {
    if (tile_shape[axis] > 0)
        return tile_shape[axis] < grid.shape[axis];
    return std::any_of(blocks.begin(), blocks.end(),
                       [&](const Box &block) { return block.upper[axis] - block.lower[axis] < grid.shape[axis]; });
}

/// Why no tiles can be cut; "" if they can.
std::string obstacle(const Grid &grid, const std::vector<Box> &blocks, const Index &tile_shape) {
    if (grid.reduces_over_space)
        return "every output of the model depends on the whole domain";
    if (grid.fixed)
        return "the model takes one shape only";
    for (std::size_t axis = 0; axis < 3; ++axis)
        if (grid.periodic[axis] && grid.shape[axis] % grid.stride[axis] != 0 &&
            cut_along(axis, grid, blocks, tile_shape))
            return text("the periodic domain ", index_text(grid.shape, grid.rank),
                        " is no multiple of the model's "
                        "stride ",
                        index_text(grid.stride, grid.rank),
                        ", so that tiles over its edge would be out of "
                        "phase");
    return "";
}

/// Why tiles would cost more than they save; "" if they do not: a rank whose block is smaller than its halo.
std::string drawback(const Grid &grid, const std::vector<Box> &blocks) {
    for (std::size_t rank = 0; rank < blocks.size(); ++rank)
        for (std::size_t axis = 0; axis < 3; ++axis) {
            const std::int64_t size = blocks[rank].upper[axis] - blocks[rank].lower[axis];
            if (size < grid.shape[axis] && size < grid.receptive_field[axis])
                return text("the block ", box_text(blocks[rank], grid.rank), " of rank ", rank,
                            " is smaller than its halo of ", index_text(grid.receptive_field, grid.rank), " cells");
        }
    return "";
}

Choice named(int mode, const std::string &obstacle) {
    const std::string name = surrogate_mpi_mode_name(mode);
    if (mode != SURROGATE_MPI_GATHER && !obstacle.empty())
        fail(SURROGATE_ERROR_UNSUPPORTED, "mode \"", name, "\" was named, but ", obstacle,
             "; name \"gather\" or \"auto\"");
    return {mode, name + ": it was named"};
}

} // namespace

Choice choose_mode(int asked, int tiled, const Grid &grid, const std::vector<Box> &blocks, const Index &tile_shape) {
    const std::string why_not = obstacle(grid, blocks, tile_shape);
    if (asked != SURROGATE_MPI_AUTO)
        return named(asked, why_not);
    if (!why_not.empty())
        return {SURROGATE_MPI_GATHER, "gather: " + why_not};
    if (const std::string why = drawback(grid, blocks); !why.empty())
        return {SURROGATE_MPI_GATHER, "gather: " + why};
    if (tiled == SURROGATE_MPI_BATCH)
        return {SURROGATE_MPI_BATCH, "batch: a node has more ranks than GPUs"};
    return {SURROGATE_MPI_TILES, "tiles: every block is at least as large as its halo"};
}

} // namespace surrogate::mpi
