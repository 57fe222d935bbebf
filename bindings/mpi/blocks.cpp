// Blocks inside the domain cover it once if no two overlap and their volumes add up to the domain's. Both questions are
// answered by halving: a region is cut in the middle until few blocks reach into it.
#include "blocks.h"

#include "failure.h"

#include <optional>
#include <utility>

namespace surrogate::mpi {

namespace {

using Ranks = std::vector<int>;
constexpr std::size_t FEW = 16; // blocks that are compared with one another

void check_inside(const Grid &grid, const std::vector<Box> &blocks) {
    for (std::size_t rank = 0; rank < blocks.size(); ++rank)
        if (blocks[rank].empty() || intersection(blocks[rank], grid.domain()) != blocks[rank])
            fail(SURROGATE_ERROR_SHAPE, "rank ", rank, " gave the block ", box_text(blocks[rank], grid.rank),
                 " of the domain ", box_text(grid.domain(), grid.rank),
                 ", expected a box of its cells; is step->origin right?");
}

Ranks reaching_into(const Box &region, const Ranks &ranks, const std::vector<Box> &blocks) {
    Ranks found;
    for (const int rank : ranks)
        if (!intersection(blocks[static_cast<std::size_t>(rank)], region).empty())
            found.push_back(rank);
    return found;
}

struct Half {
    Box region;
    Ranks ranks; // whose blocks reach into it
};

/// The halves of a region of more than one cell, along the axis that cuts the fewest blocks (slabs and pencils lie
/// whole along some axes, where halving would count all of them twice).
std::pair<Half, Half> halves(const Box &region, const Ranks &ranks, const std::vector<Box> &blocks) {
    std::pair<Half, Half> best;
    std::size_t fewest = 2 * ranks.size() + 1;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        if (region.upper[axis] - region.lower[axis] < 2)
            continue;
        Half low{region, {}}, high{region, {}};
        low.region.upper[axis] = high.region.lower[axis] =
            region.lower[axis] + (region.upper[axis] - region.lower[axis]) / 2;
        low.ranks = reaching_into(low.region, ranks, blocks);
        high.ranks = reaching_into(high.region, ranks, blocks);
        const std::size_t sum = low.ranks.size() + high.ranks.size();
        if (sum < fewest) {
            fewest = sum;
            best = {std::move(low), std::move(high)};
        }
    }
    return best;
}

std::int64_t covered(const Box &region, const Ranks &ranks, const std::vector<Box> &blocks) {
    std::int64_t cells = 0;
    for (const int rank : ranks)
        cells += intersection(blocks[static_cast<std::size_t>(rank)], region).cells();
    return cells;
}

struct Meeting {
    int first, second;
    Box cells;
};

std::optional<Meeting> compare_all(const Ranks &ranks, const std::vector<Box> &blocks) {
    for (std::size_t i = 0; i < ranks.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            const Box both =
                intersection(blocks[static_cast<std::size_t>(ranks[i])], blocks[static_cast<std::size_t>(ranks[j])]);
            if (!both.empty())
                return Meeting{ranks[j], ranks[i], both};
        }
    return std::nullopt;
}

/// Two blocks that overlap. A region with many blocks is halved until they are few, or all meet in its one cell.
std::optional<Meeting> find_overlap(const Box &region, const Ranks &ranks, const std::vector<Box> &blocks) {
    if (ranks.size() <= FEW || region.cells() == 1)
        return compare_all(ranks, blocks);
    const auto [low, high] = halves(region, ranks, blocks);
    if (auto found = find_overlap(low.region, low.ranks, blocks))
        return found;
    return find_overlap(high.region, high.ranks, blocks);
}

/// A part of the region that belongs to no block, if blocks do not overlap and cover less than it.
Box find_gap(const Box &region, const Ranks &ranks, const std::vector<Box> &blocks) {
    if (ranks.empty())
        return region;
    const auto [low, high] = halves(region, ranks, blocks);
    if (covered(low.region, low.ranks, blocks) < low.region.cells())
        return find_gap(low.region, low.ranks, blocks);
    return find_gap(high.region, high.ranks, blocks);
}

/// The gap, grown along one axis after the other up to the blocks beside it.
Box grown(Box gap, const Box &domain, const std::vector<Box> &blocks) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
        Box below = gap, above = gap;
        below.lower[axis] = domain.lower[axis];
        above.upper[axis] = domain.upper[axis];
        std::int64_t lower = domain.lower[axis], upper = domain.upper[axis];
        for (const Box &block : blocks) {
            if (!intersection(block, below).empty())
                lower = std::max(lower, block.upper[axis]);
            if (!intersection(block, above).empty())
                upper = std::min(upper, block.lower[axis]);
        }
        gap.lower[axis] = lower;
        gap.upper[axis] = upper;
    }
    return gap;
}

/// The lowest rank whose block touches `gap`, corners included.
std::size_t neighbour(const Box &gap, const std::vector<Box> &blocks) {
    Box around = gap;
    for (std::size_t k = 0; k < 3; ++k) {
        --around.lower[k];
        ++around.upper[k];
    }
    std::size_t rank = 0;
    while (rank + 1 < blocks.size() && intersection(blocks[rank], around).empty())
        ++rank;
    return rank;
}

[[noreturn]] void fail_overlap(const Grid &grid, const std::vector<Box> &blocks, const Meeting &meeting) {
    const auto block = [&](int rank) {
        return text(rank, " ", box_text(blocks[static_cast<std::size_t>(rank)], grid.rank));
    };
    fail(SURROGATE_ERROR_SHAPE, "the blocks of ranks ", block(meeting.first), " and ", block(meeting.second),
         " overlap in ", box_text(meeting.cells, grid.rank),
         ", expected every cell of the domain on one rank; is step->origin right?");
}

[[noreturn]] void fail_gap(const Grid &grid, const std::vector<Box> &blocks, const Box &gap) {
    fail(SURROGATE_ERROR_SHAPE, "the cells ", box_text(gap, grid.rank), " of the domain ",
         box_text(grid.domain(), grid.rank), " belong to no rank; beside them lies the block of rank ",
         neighbour(gap, blocks), "; are step->origin and step->global_shape right?");
}

} // namespace

void check_blocks(const Grid &grid, const std::vector<Box> &blocks) {
    check_inside(grid, blocks);
    Ranks all(blocks.size());
    for (std::size_t rank = 0; rank < all.size(); ++rank)
        all[rank] = static_cast<int>(rank);
    if (const auto meeting = find_overlap(grid.domain(), all, blocks))
        fail_overlap(grid, blocks, *meeting);
    if (covered(grid.domain(), all, blocks) < grid.domain().cells())
        fail_gap(grid, blocks, grown(find_gap(grid.domain(), all, blocks), grid.domain(), blocks));
}

} // namespace surrogate::mpi
