#include "workload.h"

#include "core/stopwatch.h"

#include <map>

namespace surrogate::mpi {

using core::Stopwatch;

namespace {

constexpr int TAG_INPUTS = TAG_TRANSFER, TAG_INCREMENTS = TAG_TRANSFER + 1;

bool alone(const Route &route) {
    return route.out.empty() && route.in.empty();
}

bool block_is_only_tile(const Plan &plan) {
    return alone(plan.inputs) && alone(plan.increments) && plan.tiles.size() == 1 &&
           plan.tiles[0].input == plan.block && plan.tiles[0].output == plan.block;
}

} // namespace

Workload::Workload(Communicator &communicator, const Grid &grid, const std::vector<Box> &blocks, const Cut &cut,
                   Channels channels)
    : communicator_(communicator), rank_(grid.rank), channels_(channels), exact_(cut.mode == SURROGATE_MPI_TILES),
      plan_(make_plan(grid, blocks, Tiling(grid, blocks, cut), communicator.rank())),
      in_place_(block_is_only_tile(plan_)) {
    make_groups(grid, cut.mode == SURROGATE_MPI_BATCH);
    if (!in_place_)
        block_increments_.resize(static_cast<std::size_t>(channels.predicted * plan_.block.cells()));
    block_array_ = {{block_increments_.data(), plan_.block.shape()}};
    exchanges_.reset(new Exchanges{Transfer(std::move(plan_.inputs), channels.read, 1),
                                   Transfer(std::move(plan_.increments), channels.predicted, plan_.tiles.size()),
                                   {}});
}

Workload::~Workload() {
    if (communicator_.broken())
        static_cast<void>(exchanges_.release());
}

/// What lies around the needed cells of a tile stays zero, the mean of training: it changes nothing that counts.
void Workload::make_groups(const Grid &grid, bool batched) {
    std::map<std::pair<Index, std::size_t>, Group> groups;
    for (std::size_t number = 0; number < plan_.tiles.size(); ++number) {
        const Box &input = plan_.tiles[number].input;
        Group &group = groups[{input.shape(), batched ? 0 : number}];
        group.shape = input.shape();
        group.tiles.push_back(number);
        for (auto axis = static_cast<std::size_t>(3 - rank_); axis < 3; ++axis)
            group.origins.push_back(floor_modulo(input.lower[axis], grid.shape[axis]));
    }
    std::int64_t floats = 0;
    for (auto &[key, group] : groups) {
        group.first = floats;
        floats += static_cast<std::int64_t>(group.tiles.size()) * channels_.read * product(group.shape);
        groups_.push_back(std::move(group));
    }
    if (in_place_)
        return;
    tiles_.resize(static_cast<std::size_t>(floats));
    tile_arrays_.resize(plan_.tiles.size());
    for (const Group &group : groups_)
        for (std::size_t i = 0; i < group.tiles.size(); ++i)
            tile_arrays_[group.tiles[i]] = {tiles_.data() + group.first +
                                                static_cast<std::int64_t>(i) * channels_.read * product(group.shape),
                                            group.shape};
}

void Workload::fill(surrogate_mpi_report &report) const {
    report.tiles = static_cast<std::int64_t>(plan_.tiles.size());
    Index largest{}, halo{};
    for (const Tile &tile : plan_.tiles) {
        if (tile.input.cells() > product(largest))
            largest = tile.input.shape();
        for (std::size_t axis = 0; axis < 3; ++axis)
            halo[axis] = std::max({halo[axis], tile.output.lower[axis] - tile.needed.lower[axis],
                                   tile.needed.upper[axis] - tile.output.upper[axis]});
    }
    to_c(report.tile_shape, largest, rank_);
    to_c(report.halo, halo, rank_);
    report.minimum_bytes = exact_ ? plan_.exact_halo * channels_.read * static_cast<std::int64_t>(sizeof(float))
                                  : exchanges_->inputs.bytes_in() + exchanges_->increments.bytes_in();
}

void Workload::send_inputs(const float *packed, Account &account) {
    if (in_place_)
        return;
    const Stopwatch watch(account.exchange);
    Transfer &inputs = exchanges_->inputs;
    inputs.take(0, packed, plan_.block.shape(), tile_arrays_);
    exchange(communicator_, inputs, exchanges_->requests, TAG_INPUTS, "the packed values");
    inputs.put(tile_arrays_);
    account.bytes_sent += inputs.bytes_out();
    account.bytes_received += inputs.bytes_in();
}

void Workload::run(surrogate_model *local, const float *packed, const surrogate_step_options *step, Account &account) {
    increments_ = block_increments_.data();
    for (const Group &group : groups_)
        run_group(group, local, in_place_ ? packed : tiles_.data() + group.first, step, account);
}

void Workload::run_group(const Group &group, surrogate_model *local, const float *values,
                         const surrogate_step_options *step, Account &account) {
    std::int64_t shape[3];
    to_c(shape, group.shape, rank_);
    const float *found = nullptr;
    {
        const Stopwatch watch(account.program);
        check(surrogate_parts_run(local, &found, values, static_cast<std::int64_t>(group.tiles.size()), shape,
                                  group.origins.data(), step));
    }
    if (in_place_) {
        increments_ = found;
        return;
    }
    const Stopwatch watch(account.exchange);
    for (const std::size_t tile : group.tiles) {
        exchanges_->increments.take(tile, found, group.shape, block_array_);
        found += channels_.predicted * product(group.shape);
    }
}

void Workload::send_increments(Account &account) {
    if (in_place_)
        return;
    const Stopwatch watch(account.exchange);
    Transfer &increments = exchanges_->increments;
    exchange(communicator_, increments, exchanges_->requests, TAG_INCREMENTS, "the increments");
    increments.put(block_array_);
    account.bytes_sent += increments.bytes_out();
    account.bytes_received += increments.bytes_in();
}

} // namespace surrogate::mpi
