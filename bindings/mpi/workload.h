// The plan of one decomposition with its buffers: packed values to tiles, tiles through the program, increments back.
#pragma once

#include "exchange.h"

#include <memory>

namespace surrogate::mpi {

/// Floats a cell that travel.
struct Channels {
    std::int64_t read; // by the program: history * channel_count
    std::int64_t predicted;
};

/// Where the time and the bytes of a call went, on this rank.
struct Account {
    double pack = 0, exchange = 0, program = 0, agree = 0, output = 0; // seconds
    std::int64_t bytes_sent = 0, bytes_received = 0;
};

class Workload {
  public:
    /// Of rank communicator.rank(). Allocates all that its predictions use.
    Workload(Communicator &communicator, const Grid &grid, const std::vector<Box> &blocks, const Cut &cut,
             Channels channels);
    ~Workload(); // leaks what MPI may still touch
    Workload(const Workload &) = delete;
    Workload &operator=(const Workload &) = delete;

    const Plan &plan() const { return plan_; }
    /// Tiles, halo and minimum_bytes of the report.
    void fill(surrogate_mpi_report &report) const;

    /// Hand this rank's block packed[channels.read][cells] to the ranks whose tiles need it, and receive for its own.
    void send_inputs(const float *packed, Account &account);
    /// Run this rank's tiles. A failure leaves the increments undefined; they must be sent all the same.
    void run(surrogate_model *local, const float *packed, const surrogate_step_options *step, Account &account);
    void send_increments(Account &account);
    /// [channels.predicted][cells of the block], after send_increments; valid until the next run.
    const float *increments() const { return increments_; }

  private:
    /// Tiles of one shape, side by side in memory, that go through the program together.
    struct Group {
        Index shape;
        std::int64_t first = 0;            // of its values among those of all tiles
        std::vector<std::size_t> tiles;    // numbers in the plan
        std::vector<std::int64_t> origins; // global index of each first cell, slowest axis first
    };
    void make_groups(const Grid &grid, bool batched);
    void run_group(const Group &group, surrogate_model *local, const float *values, const surrogate_step_options *step,
                   Account &account);

    Communicator &communicator_;
    const int rank_; // of the domain
    const Channels channels_;
    const bool exact_; // the halo is the least that can be received
    Plan plan_;
    bool in_place_; // the block is the only tile: nothing is copied
    std::vector<Group> groups_;
    std::vector<float> tiles_, block_increments_;
    std::vector<Array> tile_arrays_, block_array_;
    const float *increments_ = nullptr;
    struct Exchanges {
        Transfer inputs, increments;
        Requests requests;
    };
    std::unique_ptr<Exchanges> exchanges_;
};

} // namespace surrogate::mpi
