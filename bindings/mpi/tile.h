// What a program must be run on so that it gives the cells of one box of the frame.
#pragma once

#include "grid.h"

namespace surrogate::mpi {

struct Tile {
    Box output; // cells whose increments count
    Box needed; // cells that these depend on: output and the receptive field around it
    Box input;  // cells that the program runs on: `needed`, put on the stride and rounded up to a legal shape
};

/// The tile of `output`, a box inside the domain.
/// Along an axis that `output` spans, or that it would span with its receptive field or in a legal shape, needed or
/// input are the whole axis, which the program pads by itself. Else a periodic axis lets both reach beyond the domain,
/// and a wall ends both at its edge. Cells of `input` outside `needed` change nothing in `output`.
Tile cut_tile(const Grid &grid, const Box &output);

/// Where in the tile's input the cells of `part` lie, a box of the domain that one periodic image holds whole.
Index place_in(const Tile &tile, const Grid &grid, const Box &part);

} // namespace surrogate::mpi
