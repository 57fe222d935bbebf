// Domains and decompositions to try plans on.
#ifndef DECOMPOSITIONS_H
#define DECOMPOSITIONS_H

#include "grid.h"

#include <random>
#include <vector>

namespace decompositions {

using namespace surrogate::mpi;

inline std::int64_t pick(std::mt19937 &random, std::int64_t lower, std::int64_t upper) {
    return std::uniform_int_distribution<std::int64_t>(lower, upper)(random);
}

/// Cut boxes at random places until there are `count`, or only boxes of one cell: uneven blocks, not on a lattice.
inline std::vector<Box> random_blocks(std::mt19937 &random, const Box &domain, std::size_t count) {
    std::vector<Box> blocks{domain};
    for (int tries = 0; blocks.size() < count && tries < 1000; ++tries) {
        const auto which = static_cast<std::size_t>(pick(random, 0, static_cast<std::int64_t>(blocks.size()) - 1));
        const auto axis = static_cast<std::size_t>(pick(random, 0, 2));
        Box &box = blocks[which];
        if (box.upper[axis] - box.lower[axis] < 2)
            continue;
        Box half = box;
        half.lower[axis] = box.upper[axis] = pick(random, box.lower[axis] + 1, box.upper[axis] - 1);
        blocks.push_back(half);
    }
    std::shuffle(blocks.begin(), blocks.end(), random);
    return blocks;
}

/// Blocks of a lattice of `parts` along each axis, the last ones smaller.
inline std::vector<Box> lattice(const Index &shape, const Index &parts) {
    std::vector<Box> blocks;
    Index place;
    for (place[0] = 0; place[0] < parts[0]; ++place[0])
        for (place[1] = 0; place[1] < parts[1]; ++place[1])
            for (place[2] = 0; place[2] < parts[2]; ++place[2]) {
                Box block;
                for (std::size_t k = 0; k < 3; ++k) {
                    block.lower[k] = shape[k] * place[k] / parts[k];
                    block.upper[k] = shape[k] * (place[k] + 1) / parts[k];
                }
                blocks.push_back(block);
            }
    return blocks;
}

/// A domain of up to three axes under random rules that it obeys.
inline Grid random_grid(std::mt19937 &random) {
    Grid grid;
    grid.rank = static_cast<int>(pick(random, 1, 3));
    for (auto k = static_cast<std::size_t>(3 - grid.rank); k < 3; ++k) {
        grid.stride[k] = std::int64_t{1} << pick(random, 0, 2);
        grid.multiple_of[k] = grid.stride[k] * pick(random, 1, 2);
        grid.minimum_shape[k] = grid.multiple_of[k] * pick(random, 1, 2);
        grid.shape[k] = grid.multiple_of[k] * pick(random, 2, 24 / grid.multiple_of[k] + 2);
        grid.receptive_field[k] = pick(random, 0, 9);
        grid.periodic[k] = pick(random, 0, 2) > 0;
    }
    return grid;
}

} // namespace decompositions

#endif
