#include "recorder_transfer.h"

namespace surrogate::mpi {

namespace {

constexpr int TAG_RECORD = TAG_TRANSFER;

/// Part of one rank's packed field.
struct Piece {
    int rank = -1;
    std::size_t first = 0, bytes = 0;
};

std::size_t bytes_of(const Box &block, std::size_t cell) {
    return static_cast<std::size_t>(block.cells()) * cell;
}

/// The pieces that a leader takes, one of each rank in turn: so none waits long until the next of its own goes.
class Pieces {
  public:
    Pieces(const Nodes &nodes, const std::vector<Box> &blocks, std::size_t cell)
        : ranks_(nodes.mine()), blocks_(blocks), cell_(cell) {}

    /// The next piece; false if there is none.
    bool next(Piece &piece) {
        for (std::size_t tried = 1; tried < ranks_.size(); ++tried) { // ranks_[0] is the leader itself
            if (++turn_ >= ranks_.size()) {
                turn_ = 1;
                first_ += FrameTransfer::PIECE;
            }
            const int rank = ranks_[turn_];
            const std::size_t all = bytes_of(blocks_[static_cast<std::size_t>(rank)], cell_);
            if (first_ < all) {
                piece = {rank, first_, std::min(FrameTransfer::PIECE, all - first_)};
                return true;
            }
        }
        return false;
    }

  private:
    const std::vector<int> &ranks_;
    const std::vector<Box> &blocks_;
    const std::size_t cell_;
    std::size_t turn_ = 0, first_ = 0;
};

} // namespace

FrameTransfer::FrameTransfer(const Communicator &communicator) : buffers_(communicator) {}

void FrameTransfer::prepare(const Frame &frame, const Nodes &nodes, const std::vector<Box> &blocks) {
    std::size_t cell = 0;
    for (std::size_t i = 0; i < frame.count; ++i)
        cell = std::max(cell, frame.cell_bytes(i));
    const std::size_t own = bytes_of(frame.block, cell);
    if (buffers_->packed.size() < own)
        buffers_->packed.resize(own);
    buffers_->requests.reserve(own / PIECE + 1);
    buffers_->peers.reserve(own / PIECE + 1);
    if (!nodes.leads())
        return;
    std::size_t landing = 0;
    for (std::size_t i = 1; i < nodes.mine().size(); ++i)
        landing = std::max(landing, bytes_of(blocks[static_cast<std::size_t>(nodes.mine()[i])], cell));
    for (Landing &place : buffers_->landing) {
        if (place.bytes.size() < std::min(landing, PIECE))
            place.bytes.resize(std::min(landing, PIECE));
        place.requests.reserve(1);
        place.peers.reserve(1);
    }
}

std::size_t FrameTransfer::pack(const Frame &frame, std::size_t field) {
    std::size_t bytes = buffers_->packed.size();
    check(surrogate_recorder_pack(buffers_->packed.data(), &bytes, &frame.fields[field], frame.dtype(field)));
    return bytes;
}

void FrameTransfer::send(Communicator &communicator, std::size_t bytes, int leader) {
    buffers_->requests.clear();
    buffers_->peers.clear();
    for (std::size_t first = 0; first < bytes; first += PIECE)
        communicator.send(buffers_->requests, buffers_->peers, buffers_->packed.data() + first,
                          std::min(PIECE, bytes - first), leader, TAG_RECORD);
    communicator.wait(buffers_->requests, buffers_->peers, communicator.deadline(), "the writing of a frame");
}

void FrameTransfer::receive(Communicator &communicator, const FieldPlace &place, const Nodes &nodes,
                            const std::vector<Box> &blocks, FrameFile &file) {
    Pieces pieces(nodes, blocks, place.cell);
    Piece now, then;
    const auto begin = [&](Landing &landing, const Piece &piece) {
        landing.requests.clear();
        landing.peers.clear();
        communicator.receive(landing.requests, landing.peers, landing.bytes.data(), piece.bytes, piece.rank,
                             TAG_RECORD);
    };
    bool more = pieces.next(now);
    if (more)
        begin(buffers_->landing[0], now);
    for (int turn = 0; more; turn = 1 - turn, now = then) { // the next piece comes while this one is written
        Landing &landing = buffers_->landing[turn];
        more = pieces.next(then);
        if (more)
            begin(buffers_->landing[1 - turn], then);
        communicator.wait(landing.requests, landing.peers, communicator.deadline(), "the block for a frame");
        file.write(place, blocks[static_cast<std::size_t>(now.rank)], now.first, landing.bytes.data(), now.bytes);
    }
}

void FrameTransfer::run(Communicator &communicator, const Frame &frame, const Nodes &nodes,
                        const std::vector<Box> &blocks, FrameFile &file) {
    if (nodes.leads())
        file.open();
    for (std::size_t i = 0; i < frame.count; ++i) {
        const std::size_t bytes = pack(frame, i);
        if (!nodes.leads()) {
            send(communicator, bytes, nodes.leader());
            continue;
        }
        const FieldPlace place{file.offset(i), frame.grid.shape, frame.cell_bytes(i)};
        file.write(place, frame.block, 0, buffers_->packed.data(), bytes);
        receive(communicator, place, nodes, blocks, file);
    }
    if (nodes.leads())
        file.close();
}

} // namespace surrogate::mpi
