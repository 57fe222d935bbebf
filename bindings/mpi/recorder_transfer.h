// The blocks of a frame on their way: from the ranks of a node to its leader, and from there into the frame's file.
#pragma once

#include "frame_file.h"
#include "node.h"
#include "recorder_frame.h"

#include <memory>

namespace surrogate::mpi {

/// Buffers are kept from frame to frame.
class FrameTransfer {
  public:
    explicit FrameTransfer(const Communicator &communicator);

    /// Make room for the fields of `frame`, whose blocks are `blocks`; `run` allocates nothing of their size.
    void prepare(const Frame &frame, const Nodes &nodes, const std::vector<Box> &blocks);
    /// This rank's part: pack and send its fields to the leader, or as the leader write all of the node's. Returns when
    /// the file is closed; ERROR_WRITE if it could not be filled.
    void run(Communicator &communicator, const Frame &frame, const Nodes &nodes, const std::vector<Box> &blocks,
             FrameFile &file);

    static constexpr std::size_t PIECE = std::size_t{4} << 20; // bytes that travel at a time

  private:
    struct Landing { // of one piece
        std::vector<char> bytes;
        std::vector<MPI_Request> requests;
        std::vector<int> peers;
    };
    struct Buffers {
        std::vector<char> packed; // one field of this rank
        std::vector<MPI_Request> requests;
        std::vector<int> peers;
        Landing landing[2];
    };
    std::size_t pack(const Frame &frame, std::size_t field);
    void send(Communicator &communicator, std::size_t bytes, int leader);
    void receive(Communicator &communicator, const FieldPlace &place, const Nodes &nodes,
                 const std::vector<Box> &blocks, FrameFile &file);

    Kept<Buffers> buffers_;
};

} // namespace surrogate::mpi
