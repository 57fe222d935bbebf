// Plans of all ranks, carried out without MPI: every tile gets the right global cells, every block its increments.
#include "check.h"
#include "decompositions.h"
#include "transfer.h"

#include <cmath>
#include <numeric>

using namespace decompositions;

namespace {

/// A number for each global cell, exact in float.
float name_of(const Grid &grid, const Index &cell) {
    Index inside;
    for (std::size_t k = 0; k < 3; ++k)
        inside[k] = floor_modulo(cell[k], grid.shape[k]);
    return static_cast<float>(1 + (inside[0] * grid.shape[1] + inside[1]) * grid.shape[2] + inside[2]);
}

template <class Body> void for_each_cell(const Box &box, Body body) {
    Index cell;
    for (cell[0] = box.lower[0]; cell[0] < box.upper[0]; ++cell[0])
        for (cell[1] = box.lower[1]; cell[1] < box.upper[1]; ++cell[1])
            for (cell[2] = box.lower[2]; cell[2] < box.upper[2]; ++cell[2])
                body(cell);
}

constexpr std::int64_t CHANNELS = 2;

/// The box's dense values: channel 0 the cell's name, channel 1 its negative.
std::vector<float> names_in(const Grid &grid, const Box &box) {
    std::vector<float> values;
    for (const float sign : {1.0f, -1.0f})
        for_each_cell(box, [&](const Index &cell) { values.push_back(sign * name_of(grid, cell)); });
    return values;
}

struct Rank {
    Plan plan;
    Transfer inputs, increments;
    std::vector<std::vector<float>> tiles;
    std::vector<Array> tile_arrays;
    std::vector<float> block, messages, returned;

    Rank(const Plan &made)
        : plan(made), inputs(plan.inputs, CHANNELS, 1), increments(plan.increments, CHANNELS, plan.tiles.size()),
          block(static_cast<std::size_t>(CHANNELS * plan.block.cells()), 0.0f) {
        for (const Tile &tile : plan.tiles)
            tiles.emplace_back(static_cast<std::size_t>(CHANNELS * tile.input.cells()), 0.0f);
        messages.resize(inputs.floats());
        inputs.use(messages.data());
        returned.resize(increments.floats());
        increments.use(returned.data());
        for (std::size_t i = 0; i < tiles.size(); ++i)
            tile_arrays.push_back({tiles[i].data(), plan.tiles[i].input.shape()});
    }
};

/// Carry all messages; fails where a message sent is not one expected.
void carry(std::vector<Rank> &ranks, Transfer Rank::*route) {
    std::size_t sent = 0, expected = 0;
    for (Rank &rank : ranks)
        sent += (rank.*route).outgoing().size();
    for (std::size_t to = 0; to < ranks.size(); ++to)
        for (Message &message : (ranks[to].*route).incoming()) {
            ++expected;
            bool found = false;
            for (const Message &other : (ranks[static_cast<std::size_t>(message.peer)].*route).outgoing())
                if (other.peer == static_cast<int>(to)) {
                    found = other.floats == message.floats;
                    std::copy_n(other.values, std::min(other.floats, message.floats), message.values);
                }
            CHECK(found);
        }
    CHECK(sent == expected);
}

void check_tile(const Grid &grid, const Tile &tile, const std::vector<float> &values) {
    std::size_t i = 0;
    const auto place = [&](const Index &cell, std::size_t k) { // the image of `cell` nearest to the needed box's start
        return tile.needed.lower[k] + floor_modulo(cell[k] - tile.needed.lower[k], grid.shape[k]);
    };
    for (const float sign : {1.0f, -1.0f})
        for_each_cell(tile.input, [&](const Index &cell) {
            bool needed = true;
            for (std::size_t k = 0; k < 3; ++k)
                needed = needed && place(cell, k) < tile.needed.upper[k];
            CHECK(values[i++] == (needed ? sign * name_of(grid, cell) : 0.0f));
        });
}

/// What holds of any tile, whatever the mode.
void check_rules(const Grid &grid, const Tile &tile) {
    for (std::size_t k = 0; k < 3; ++k) {
        const std::int64_t size = tile.input.upper[k] - tile.input.lower[k];
        const bool whole = size == grid.shape[k];
        CHECK(size <= grid.shape[k] && size % grid.multiple_of[k] == 0 && size >= grid.minimum_shape[k]);
        CHECK(floor_modulo(tile.input.lower[k], grid.stride[k]) == 0);
        if (whole) {
            CHECK(tile.input.lower[k] == 0);
            continue;
        }
        // each side has the receptive field, or is at a wall
        const bool wall = !grid.periodic[k];
        CHECK(tile.input.lower[k] <= tile.output.lower[k] - grid.receptive_field[k] ||
              (wall && tile.input.lower[k] == 0));
        CHECK(tile.input.upper[k] >= tile.output.upper[k] + grid.receptive_field[k] ||
              (wall && tile.input.upper[k] == grid.shape[k]));
        CHECK(!wall || (tile.input.lower[k] >= 0 && tile.input.upper[k] <= grid.shape[k]));
    }
}

/// Carry out a prediction whose program copies; -> cells received by all ranks before the program.
std::int64_t carry_out(const Grid &grid, const std::vector<Box> &blocks, const Cut &cut) {
    const Tiling tiling(grid, blocks, cut);
    std::vector<Rank> ranks;
    ranks.reserve(blocks.size());
    std::int64_t tiles = 0, received = 0;
    for (std::size_t r = 0; r < blocks.size(); ++r) {
        ranks.emplace_back(make_plan(grid, blocks, tiling, static_cast<int>(r)));
        Rank &rank = ranks.back();
        const auto packed = names_in(grid, blocks[r]);
        rank.inputs.take(0, packed.data(), blocks[r].shape(), rank.tile_arrays);
        tiles += static_cast<std::int64_t>(rank.plan.tiles.size());
    }
    CHECK(tiles == tiling.size());
    carry(ranks, &Rank::inputs);
    for (Rank &rank : ranks) {
        rank.inputs.put(rank.tile_arrays);
        received += rank.inputs.bytes_in() / static_cast<std::int64_t>(sizeof(float)) / CHANNELS;
        const std::vector<Array> target{{rank.block.data(), rank.plan.block.shape()}};
        for (std::size_t i = 0; i < rank.tiles.size(); ++i) {
            check_rules(grid, rank.plan.tiles[i]);
            check_tile(grid, rank.plan.tiles[i], rank.tiles[i]);
            rank.increments.take(i, rank.tiles[i].data(), rank.plan.tiles[i].input.shape(), target);
        }
    }
    carry(ranks, &Rank::increments);
    for (Rank &rank : ranks) {
        rank.increments.put({{rank.block.data(), rank.plan.block.shape()}});
        CHECK(rank.block == names_in(grid, rank.plan.block));
    }
    return received;
}

std::vector<int> leaders_of(std::size_t ranks, int node) {
    std::vector<int> leaders;
    for (std::size_t r = 0; r < ranks; ++r)
        leaders.push_back(static_cast<int>(r) / node * node);
    return leaders;
}

Cut tiles_of(const Index &shape = {}) {
    Cut cut;
    cut.mode = SURROGATE_MPI_TILES;
    cut.tile_shape = shape;
    return cut;
}

void every_tile_gets_the_right_cells_and_every_block_its_increments() {
    std::mt19937 random(11);
    for (int i = 0; i < 400; ++i) {
        const Grid grid = random_grid(random);
        const auto blocks = random_blocks(random, grid.domain(), static_cast<std::size_t>(pick(random, 1, 9)));
        Cut cut;
        cut.mode = static_cast<int>(pick(random, SURROGATE_MPI_TILES, SURROGATE_MPI_BATCH));
        cut.reader = static_cast<int>(pick(random, 0, static_cast<std::int64_t>(blocks.size()) - 1));
        cut.leaders = leaders_of(blocks.size(), static_cast<int>(pick(random, 1, 4)));
        if (cut.mode == SURROGATE_MPI_TILES && pick(random, 0, 1))
            for (std::size_t k = 0; k < 3; ++k)
                cut.tile_shape[k] = grid.stride[k] * pick(random, 1, 4);
        carry_out(grid, blocks, cut);
    }
}

/// Cells of other ranks within the receptive field of a block, counted one by one.
std::int64_t halo_of(const Grid &grid, const Box &block) {
    std::int64_t cells = 0;
    for_each_cell(grid.domain(), [&](const Index &cell) {
        bool near = true;
        for (std::size_t k = 0; k < 3; ++k) {
            bool close = false;
            for (const std::int64_t image : {-grid.shape[k], std::int64_t{0}, grid.shape[k]})
                if (image == 0 || grid.periodic[k])
                    close = close || (cell[k] + image >= block.lower[k] - grid.receptive_field[k] &&
                                      cell[k] + image < block.upper[k] + grid.receptive_field[k]);
            near = near && close;
        }
        cells += near && !block.holds(cell);
    });
    return cells;
}

void tiles_receive_the_halo_and_not_a_cell_more() {
    std::mt19937 random(12);
    for (int i = 0; i < 100; ++i) {
        const Grid grid = random_grid(random);
        const auto blocks = random_blocks(random, grid.domain(), static_cast<std::size_t>(pick(random, 1, 6)));
        const Cut cut = tiles_of();
        std::int64_t halos = 0;
        for (std::size_t r = 0; r < blocks.size(); ++r) {
            halos += halo_of(grid, blocks[r]);
            const Plan plan = make_plan(grid, blocks, Tiling(grid, blocks, cut), static_cast<int>(r));
            CHECK(plan.exact_halo == halo_of(grid, blocks[r]));
        }
        CHECK(carry_out(grid, blocks, cut) == halos);
    }
}

void regular_tiles_depend_on_the_domain_alone() {
    std::mt19937 random(13);
    for (int i = 0; i < 50; ++i) {
        const Grid grid = random_grid(random);
        Index shape;
        for (std::size_t k = 0; k < 3; ++k)
            shape[k] = grid.stride[k] * pick(random, 1, 4);
        const Cut cut = tiles_of(shape);
        const std::vector<Box> one{grid.domain()};
        const auto many = random_blocks(random, grid.domain(), 8);
        const Tiling alone(grid, one, cut), shared(grid, many, cut);
        CHECK(alone.size() == shared.size());
        for (std::int64_t tile = 0; tile < alone.size(); ++tile)
            CHECK(alone[tile].input == shared[tile].input && alone[tile].output == shared[tile].output);
    }
}

void only_the_leader_of_gather_has_arrays_of_the_domain() {
    Grid grid;
    grid.rank = 2;
    grid.shape = {1, 16, 16};
    grid.receptive_field = {0, 2, 2};
    const auto blocks = lattice(grid.shape, {1, 4, 4});
    Cut cut;
    cut.mode = SURROGATE_MPI_GATHER;
    cut.reader = 5;
    const Tiling tiling(grid, blocks, cut);
    for (int r = 0; r < 16; ++r) {
        const Plan plan = make_plan(grid, blocks, tiling, r);
        CHECK(plan.tiles.size() == (r == 5 ? 1u : 0u));
        CHECK(plan.inputs.out.size() == (r == 5 ? 0u : 1u) && plan.inputs.in.size() == (r == 5 ? 15u : 0u));
        CHECK(plan.increments.in.size() == (r == 5 ? 0u : 1u));
    }
}

void a_rank_of_a_hundred_thousand_plans_its_own_part() {
    Grid grid;
    grid.rank = 3;
    grid.shape = {46 * 8, 46 * 8, 46 * 8};
    grid.receptive_field = {3, 3, 3};
    grid.periodic = {true, true, true};
    const auto blocks = lattice(grid.shape, {46, 46, 46});
    const Cut cut = tiles_of();
    const Plan plan = make_plan(grid, blocks, Tiling(grid, blocks, cut), 0);
    CHECK(plan.inputs.in.size() == 26 && plan.inputs.out.size() == 26);
    CHECK(plan.exact_halo == 14 * 14 * 14 - 8 * 8 * 8);
}

} // namespace

int main() {
    every_tile_gets_the_right_cells_and_every_block_its_increments();
    tiles_receive_the_halo_and_not_a_cell_more();
    regular_tiles_depend_on_the_domain_alone();
    only_the_leader_of_gather_has_arrays_of_the_domain();
    a_rank_of_a_hundred_thousand_plans_its_own_part();
    return finish();
}
