#include "grid.h"

#include "failure.h"

namespace surrogate::mpi {

Index from_c(const std::int64_t *values, int rank, std::int64_t unused) {
    Index index{unused, unused, unused};
    for (int k = 0; k < rank; ++k)
        index[static_cast<std::size_t>(3 - rank + k)] = values[k];
    return index;
}

void to_c(std::int64_t *values, const Index &index, int rank) {
    for (int k = 0; k < 3; ++k)
        values[k] = k < rank ? index[static_cast<std::size_t>(3 - rank + k)] : 0;
}

std::string index_text(const Index &index, int rank) {
    std::string text = "[";
    for (int k = 3 - rank; k < 3; ++k)
        text += (k > 3 - rank ? ", " : "") + std::to_string(index[static_cast<std::size_t>(k)]);
    return text + "]";
}

std::string box_text(const Box &box, int rank) {
    std::string text = "[";
    for (int k = 3 - rank; k < 3; ++k) {
        const auto axis = static_cast<std::size_t>(k);
        text += (k > 3 - rank ? ", " : "") + std::to_string(box.lower[axis]) + ":" + std::to_string(box.upper[axis]);
    }
    return text + "]";
}

/// Fails unless the whole domain obeys the model's grid rule: one process would refuse it too.
static void check_shape(const Grid &grid, const Index &fixed_shape) {
    const std::string given = text("global_shape ", index_text(grid.shape, grid.rank), " given, expected ");
    std::int64_t cells = 1;
    for (std::size_t k = 0; k < 3; ++k) {
        if (grid.shape[k] < 1)
            fail(SURROGATE_ERROR_ARGUMENT, given,
                 "the sizes of the whole domain: step->origin and step->global_shape say where each block lies in it");
        if (__builtin_mul_overflow(cells, grid.shape[k], &cells) || cells > MOST_CELLS)
            fail(SURROGATE_ERROR_SHAPE, given, "at most 2^56 cells");
        if (fixed_shape[k] > 0 && grid.shape[k] != fixed_shape[k])
            fail(SURROGATE_ERROR_SHAPE, given, index_text(fixed_shape, grid.rank), ", the only size this model takes");
        if (grid.shape[k] % grid.multiple_of[k] != 0 || grid.shape[k] < grid.minimum_shape[k])
            fail(SURROGATE_ERROR_SHAPE, given, "multiples of ", index_text(grid.multiple_of, grid.rank),
                 " of at least ", index_text(grid.minimum_shape, grid.rank));
    }
}

Grid make_grid(const surrogate_info &info, const std::int64_t *global_shape) {
    Grid grid;
    grid.rank = info.spatial_rank;
    grid.shape = from_c(global_shape, grid.rank, 1);
    grid.receptive_field = from_c(info.receptive_field, grid.rank, 0);
    grid.stride = from_c(info.stride, grid.rank, 1);
    grid.multiple_of = from_c(info.multiple_of, grid.rank, 1);
    grid.minimum_shape = from_c(info.minimum_shape, grid.rank, 1);
    const Index fixed_shape = from_c(info.fixed_shape, grid.rank, 0);
    for (std::size_t k = 0; k < 3; ++k) {
        grid.stride[k] = std::max<std::int64_t>(grid.stride[k], 1);
        grid.multiple_of[k] = std::max<std::int64_t>(grid.multiple_of[k], 1);
        grid.minimum_shape[k] = std::max<std::int64_t>(grid.minimum_shape[k], 1);
        grid.fixed = grid.fixed || fixed_shape[k] > 0;
    }
    for (int k = 0; k < grid.rank; ++k)
        grid.periodic[static_cast<std::size_t>(3 - grid.rank + k)] = info.boundary[k] == SURROGATE_BOUNDARY_PERIODIC;
    grid.reduces_over_space = info.reduces_over_space != 0;
    check_shape(grid, fixed_shape);
    return grid;
}

} // namespace surrogate::mpi
