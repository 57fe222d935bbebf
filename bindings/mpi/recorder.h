// A recording that the ranks of a communicator write together.
//
// Rank 0 holds the recorder of libsurrogate, which lays out the file of every frame.  The leader of each node writes
// the blocks of its node's ranks into that file, as they come in pieces; once all leaders have closed it, rank 0 gives
// it its name.  So no rank holds more than its own largest field and two pieces.
#pragma once

#include "node.h"
#include "recorder_frame.h"
#include "recorder_transfer.h"

namespace surrogate::mpi {

class Recorder {
  public:
    /// Collective, as all that follows. What fails, fails on all ranks with the same status.
    Recorder(MPI_Comm comm, double deadline);
    /// Ends what close did not end, on this rank alone.
    ~Recorder();
    Recorder(const Recorder &) = delete;
    Recorder &operator=(const Recorder &) = delete;

    Communicator &communicator() { return communicator_; }
    void open(const char *path, const surrogate_recorder_options *options);
    /// origin, global_shape: may be NULL on one rank alone.
    void write(double time, const surrogate_field *fields, std::size_t count, const std::int64_t *origin,
               const std::int64_t *global_shape);
    void close();

  private:
    bool alone() const { return communicator_.size() == 1; }
    void agree_on(Frame &frame, double time, const surrogate_field *fields, std::size_t count,
                  const std::int64_t *origin, const std::int64_t *global_shape);
    void learn_blocks(const Frame &frame);
    std::vector<char> lay_out(const Frame &frame);
    FrameFile learn_file(const Frame &frame);
    void store(const Frame &frame);

    Communicator communicator_;
    Nodes nodes_;
    surrogate_recorder *serial_ = nullptr; // of rank 0
    std::int32_t precision_ = 0;
    Grid grid_;               // of the domain that `blocks_` cover
    std::vector<Box> blocks_; // of all ranks, since the last frame that gave others
    FrameTransfer transfer_;
};

} // namespace surrogate::mpi

struct surrogate_mpi_recorder : surrogate::mpi::Recorder {
    using Recorder::Recorder;
};
