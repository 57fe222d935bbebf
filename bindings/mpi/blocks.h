// The blocks of all ranks as one decomposition of the domain.
#pragma once

#include "grid.h"

#include <vector>

namespace surrogate::mpi {

/// Fails unless every block (one a rank) lies inside the domain and they cover it once: Failure ERROR_SHAPE, which
/// names the ranks and cells. About P log P for P ranks; two blocks that overlap are found at once.
void check_blocks(const Grid &grid, const std::vector<Box> &blocks);

} // namespace surrogate::mpi
