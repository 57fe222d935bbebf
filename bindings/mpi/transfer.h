// Boxes to messages and back, over one route.
#pragma once

#include "plan.h"

namespace surrogate::mpi {

/// A dense array of some channels over the cells of a box: [channels][z][y][x].
struct Array {
    float *data;
    Index shape;
};

/// What a rank sends or receives: all that goes to or comes from one other rank.
struct Message {
    int peer;
    std::size_t floats;
    float *values; // [load][channels][cells of the load]
};

class Transfer {
  public:
    /// sources: number of arrays that the route takes from.
    Transfer(Route route, std::int64_t channels, std::size_t sources);

    /// Room that the messages need, and where it is; transfers that are not under way together may share it.
    std::size_t floats() const;
    void use(float *memory);

    /// Take what leaves array `source`: into messages, and into `targets` what stays on this rank.
    void take(std::size_t source, const float *data, const Index &shape, const std::vector<Array> &targets);
    /// Put what arrived into `targets`.
    void put(const std::vector<Array> &targets) const;

    const std::vector<Message> &outgoing() const { return outgoing_; }
    std::vector<Message> &incoming() { return incoming_; }
    std::size_t messages() const { return outgoing_.size() + incoming_.size(); }
    std::int64_t bytes_out() const { return bytes(outgoing_); }
    std::int64_t bytes_in() const { return bytes(incoming_); }

  private:
    struct Leaving {
        std::size_t message;
        Load load;
    };
    static std::int64_t bytes(const std::vector<Message> &messages);

    const std::int64_t channels_;
    std::vector<std::vector<Leaving>> leaving_; // by source
    std::vector<std::vector<Move>> staying_;    // by source
    std::vector<Parcel> arriving_;
    std::vector<Message> outgoing_, incoming_;
};

} // namespace surrogate::mpi
