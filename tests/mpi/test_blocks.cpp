// A decomposition passes if it covers the domain once, and else the text names ranks that are at fault.
#include "blocks.h"
#include "check.h"
#include "decompositions.h"
#include "failure.h"

using namespace decompositions;

/// Text of the failure; "" if the blocks pass.
static std::string verdict(const Grid &grid, const std::vector<Box> &blocks) {
    try {
        check_blocks(grid, blocks);
    } catch (const Failure &failure) {
        CHECK(failure.status() == SURROGATE_ERROR_SHAPE);
        return failure.text();
    }
    return "";
}

static bool says(const std::string &text, const char *part) {
    if (text.find(part) != std::string::npos)
        return true;
    fprintf(stderr, "'%s' does not stand in '%s'\n", part, text.c_str());
    return false;
}

static Grid plain(int rank, const Index &shape) {
    Grid grid;
    grid.rank = rank;
    grid.shape = shape;
    return grid;
}

static void a_decomposition_that_covers_once_passes() {
    std::mt19937 random(1);
    for (int i = 0; i < 300; ++i) {
        const Grid grid = random_grid(random);
        const auto blocks = random_blocks(random, grid.domain(), static_cast<std::size_t>(pick(random, 1, 200)));
        CHECK(verdict(grid, blocks) == "");
    }
}

/// Brute force over all cells: how often each is held.
static bool covers_once(const Grid &grid, const std::vector<Box> &blocks) {
    Index cell;
    for (cell[0] = 0; cell[0] < grid.shape[0]; ++cell[0])
        for (cell[1] = 0; cell[1] < grid.shape[1]; ++cell[1])
            for (cell[2] = 0; cell[2] < grid.shape[2]; ++cell[2]) {
                int holders = 0;
                for (const Box &block : blocks)
                    holders += block.holds(cell);
                if (holders != 1)
                    return false;
            }
    return true;
}

static void a_displaced_block_is_refused_unless_the_domain_stays_covered() {
    std::mt19937 random(2);
    int refused = 0;
    for (int i = 0; i < 300; ++i) {
        const Grid grid = random_grid(random);
        auto blocks = random_blocks(random, grid.domain(), static_cast<std::size_t>(pick(random, 2, 60)));
        Box &moved = blocks[static_cast<std::size_t>(pick(random, 0, static_cast<std::int64_t>(blocks.size()) - 1))];
        for (std::size_t k = 0; k < 3; ++k) {
            const std::int64_t size = moved.upper[k] - moved.lower[k];
            moved.lower[k] = pick(random, 0, grid.shape[k] - size);
            moved.upper[k] = moved.lower[k] + size;
        }
        const bool good = covers_once(grid, blocks);
        refused += !good;
        CHECK((verdict(grid, blocks) == "") == good);
    }
    CHECK(refused > 100);
}

static void a_missing_block_is_named_by_its_cells_and_a_neighbour() {
    const Grid grid = plain(2, {1, 8, 12});
    auto blocks = lattice(grid.shape, {1, 2, 3});
    blocks[4] = {{0, 4, 4}, {1, 8, 7}}; // one column short
    const std::string text = verdict(grid, blocks);
    CHECK(says(text, "the cells [4:8, 7:8] of the domain [0:8, 0:12] belong to no rank"));
    CHECK(says(text, "rank 1"));
}

static void blocks_that_overlap_are_named() {
    const Grid grid = plain(3, {8, 8, 8});
    auto blocks = lattice(grid.shape, {2, 2, 2});
    --blocks[7].lower[0];
    CHECK(says(verdict(grid, blocks), "ranks 3 [0:4, 4:8, 4:8] and 7 [3:8, 4:8, 4:8] overlap in [3:4, 4:8, 4:8]"));
}

static void a_block_outside_the_domain_is_named() {
    const Grid grid = plain(1, {1, 1, 8});
    CHECK(says(verdict(grid, {{{0, 0, 0}, {1, 1, 4}}, {{0, 0, 5}, {1, 1, 9}}}), "rank 1 gave the block [5:9]"));
    CHECK(says(verdict(grid, {{{0, 0, -1}, {1, 1, 4}}, {{0, 0, 4}, {1, 1, 8}}}), "rank 0 gave the block [-1:4]"));
    CHECK(says(verdict(grid, {{{0, 0, 0}, {1, 1, 8}}, {{0, 0, 4}, {1, 1, 4}}}), "rank 1 gave the block [4:4]"));
}

/// Slabs, pencils, cubes and blocks on no lattice; each would take minutes if pairs of blocks were compared.
static void a_hundred_thousand_ranks_take_no_time_worth_mention() {
    const Grid grid = plain(3, {1 << 17, 1 << 17, 1 << 17});
    for (const Index &parts : {Index{100000, 1, 1}, Index{1, 300, 333}, Index{46, 46, 46}})
        CHECK(verdict(grid, lattice(grid.shape, parts)) == "");
    std::mt19937 random(3);
    CHECK(verdict(grid, random_blocks(random, grid.domain(), 900)) == "");
    std::vector<Box> same(100000, grid.domain()); // all ranks forgot their origin
    CHECK(says(verdict(grid, same), "ranks 0 "));
}

int main() {
    a_decomposition_that_covers_once_passes();
    a_displaced_block_is_refused_unless_the_domain_stays_covered();
    a_missing_block_is_named_by_its_cells_and_a_neighbour();
    blocks_that_overlap_are_named();
    a_block_outside_the_domain_is_named();
    a_hundred_thousand_ranks_take_no_time_worth_mention();
    return finish();
}
