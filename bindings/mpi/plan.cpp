#include "plan.h"

#include <map>

namespace surrogate::mpi {

namespace {

/// The parts of a box that reaches beyond a periodic domain, each moved into the domain, by ascending images.
std::vector<Box> images(const Box &box, const Index &domain) {
    std::vector<Box> parts{Box{}};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        std::vector<Box> cut;
        const std::int64_t size = domain[axis];
        for (const Box &part : parts)
            for (std::int64_t start = floor_divide(box.lower[axis], size) * size; start < box.upper[axis];
                 start += size) {
                cut.push_back(part);
                cut.back().lower[axis] = std::max<std::int64_t>(box.lower[axis] - start, 0);
                cut.back().upper[axis] = std::min(box.upper[axis] - start, size);
            }
        parts = std::move(cut);
    }
    return parts;
}

/// Whether a box that reaches beyond a periodic domain, by less than the domain, holds any cell of `block`.
bool reaches(const Box &box, const Box &block, const Index &domain) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
        bool meets = false;
        for (const std::int64_t shift : {-domain[axis], std::int64_t{0}, domain[axis]})
            meets =
                meets || (box.lower[axis] + shift < block.upper[axis] && block.lower[axis] < box.upper[axis] + shift);
        if (!meets)
            return false;
    }
    return true;
}

/// Parcels under way, by peer.
class Parcels {
  public:
    void add(int peer, const Place &place, const Box &cells) {
        Parcel &parcel = by_peer_.try_emplace(peer, Parcel{peer, 0, {}}).first->second;
        parcel.loads.push_back({place, cells.shape(), parcel.cells});
        parcel.cells += cells.cells();
    }
    std::vector<Parcel> take() {
        std::vector<Parcel> all;
        for (auto &[peer, parcel] : by_peer_)
            all.push_back(std::move(parcel));
        return all;
    }

  private:
    std::map<int, Parcel> by_peer_;
};

class Planner {
  public:
    Planner(const Grid &grid, const std::vector<Box> &blocks, const Tiling &tiling, int rank)
        : grid_(grid), blocks_(blocks), tiling_(tiling), rank_(rank) {
        plan_.block = blocks[static_cast<std::size_t>(rank)];
    }

    Plan make() {
        for (std::int64_t index = 0; index < tiling_.size(); ++index) {
            const Tile tile = tiling_[index];
            if (tiling_.runs(rank_, index))
                run(tile);
            else
                serve(tile, index);
        }
        plan_.exact_halo = exact_halo();
        plan_.inputs.out = inputs_out_.take();
        plan_.inputs.in = inputs_in_.take();
        plan_.increments.out = increments_out_.take();
        plan_.increments.in = increments_in_.take();
        return std::move(plan_);
    }

  private:
    Place in_block(const Box &cells) const { return {0, offset_in(plan_.block, cells.lower)}; }

    /// This rank runs the tile: it reads it from all blocks, and hands increments to all.
    void run(const Tile &tile) {
        const std::size_t number = plan_.tiles.size();
        plan_.tiles.push_back(tile);
        for (const Box &part : images(tile.needed, grid_.shape))
            for_each_owner(part, [&](int owner, const Box &cells) {
                const Place to{number, place_in(tile, grid_, cells)};
                if (owner == rank_)
                    plan_.inputs.stay.push_back({in_block(cells), to, cells.shape()});
                else
                    inputs_in_.add(owner, to, cells);
            });
        for_each_owner(tile.output, [&](int owner, const Box &cells) {
            const Place from{number, place_in(tile, grid_, cells)};
            if (owner == rank_)
                plan_.increments.stay.push_back({from, in_block(cells), cells.shape()});
            else
                increments_out_.add(owner, from, cells);
        });
    }

    /// Another rank runs the tile: it may need cells of this block, or have increments for it.
    void serve(const Tile &tile, std::int64_t index) {
        if (!reaches(tile.needed, plan_.block, grid_.shape))
            return;
        for (const Box &part : images(tile.needed, grid_.shape)) {
            const Box cells = intersection(part, plan_.block);
            if (!cells.empty())
                inputs_out_.add(tiling_.worker(index), in_block(cells), cells);
        }
        const Box cells = intersection(tile.output, plan_.block);
        if (!cells.empty())
            increments_in_.add(tiling_.worker(index), in_block(cells), cells);
    }

    template <class Body> void for_each_owner(const Box &part, Body body) const {
        for (std::size_t rank = 0; rank < blocks_.size(); ++rank) {
            const Box cells = intersection(part, blocks_[rank]);
            if (!cells.empty())
                body(static_cast<int>(rank), cells);
        }
    }

    std::int64_t exact_halo() const {
        std::int64_t cells = 0;
        for (const Box &part : images(cut_tile(grid_, plan_.block).needed, grid_.shape))
            cells += part.cells() - intersection(part, plan_.block).cells();
        return cells;
    }

    const Grid &grid_;
    const std::vector<Box> &blocks_;
    const Tiling &tiling_;
    const int rank_;
    Plan plan_;
    Parcels inputs_out_, inputs_in_, increments_out_, increments_in_;
};

} // namespace

Plan make_plan(const Grid &grid, const std::vector<Box> &blocks, const Tiling &tiling, int rank) {
    return Planner(grid, blocks, tiling, rank).make();
}

} // namespace surrogate::mpi
