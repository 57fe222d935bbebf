#include "tile.h"

#include <numeric>

namespace surrogate::mpi {

namespace {

struct Span {
    std::int64_t lower, upper;
};

std::int64_t round_down(std::int64_t value, std::int64_t step) {
    return floor_divide(value, step) * step;
}
std::int64_t round_up(std::int64_t value, std::int64_t step) {
    return -round_down(-value, step);
}

Span needed_span(const Grid &grid, std::size_t axis, Span output) {
    const std::int64_t size = grid.shape[axis], field = std::min(grid.receptive_field[axis], size);
    const Span grown{output.lower - field, output.upper + field};
    if (!grid.periodic[axis])
        return {std::max<std::int64_t>(grown.lower, 0), std::min(grown.upper, size)};
    const bool whole = output.upper - output.lower == size || grown.upper - grown.lower >= size;
    return whole ? Span{0, size} : grown;
}

/// Starts on the stride, so that the tile is in phase with the whole domain; as few cells more as the grid rule asks.
Span input_span(const Grid &grid, std::size_t axis, Span needed) {
    const std::int64_t size = grid.shape[axis], multiple = grid.multiple_of[axis], least = grid.minimum_shape[axis];
    const std::int64_t lower = round_down(needed.lower, grid.stride[axis]);
    const std::int64_t upper = lower + round_up(std::max(needed.upper - lower, least), multiple);
    if (grid.periodic[axis])
        return upper - lower >= size ? Span{0, size} : Span{lower, upper};
    if (needed.upper < size && upper <= size)
        return {lower, upper};
    // up to the wall: sizes obey the rule from every start that does, as the domain's does
    const std::int64_t step = std::lcm(grid.stride[axis], multiple);
    return {round_down(std::min(needed.lower, size - least), step), size};
}

} // namespace

Tile cut_tile(const Grid &grid, const Box &output) {
    Tile tile;
    tile.output = output;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const Span needed = needed_span(grid, axis, {output.lower[axis], output.upper[axis]});
        const Span input = input_span(grid, axis, needed);
        tile.needed.lower[axis] = needed.lower;
        tile.needed.upper[axis] = needed.upper;
        tile.input.lower[axis] = input.lower;
        tile.input.upper[axis] = input.upper;
    }
    return tile;
}

Index place_in(const Tile &tile, const Grid &grid, const Box &part) {
    Index place;
    for (std::size_t axis = 0; axis < 3; ++axis)
        place[axis] = floor_modulo(part.lower[axis] - tile.input.lower[axis], grid.shape[axis]);
    return place;
}

} // namespace surrogate::mpi
