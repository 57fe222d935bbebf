#include "transfer.h"

#include <cstring>

namespace surrogate::mpi {

namespace {

/// Copy a box of `extent` cells and all channels from one dense array to another. The same for every number of ranks:
/// bits are copied, whatever they mean.
void copy_box(float *to, const Index &to_shape, const Index &to_at, const float *from, const Index &from_shape,
              const Index &from_at, const Index &extent, std::int64_t channels) {
    const auto row = static_cast<std::size_t>(extent[2]) * sizeof(float);
    for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t z = 0; z < extent[0]; ++z)
            for (std::int64_t y = 0; y < extent[1]; ++y) {
                const std::int64_t into =
                    ((c * to_shape[0] + to_at[0] + z) * to_shape[1] + to_at[1] + y) * to_shape[2] + to_at[2];
                const std::int64_t out_of =
                    ((c * from_shape[0] + from_at[0] + z) * from_shape[1] + from_at[1] + y) * from_shape[2] +
                    from_at[2];
                std::memcpy(to + into, from + out_of, row);
            }
}

std::vector<Message> messages_of(const std::vector<Parcel> &parcels, std::int64_t channels) {
    std::vector<Message> made;
    for (const Parcel &parcel : parcels)
        made.push_back({parcel.peer, static_cast<std::size_t>(parcel.cells * channels), nullptr});
    return made;
}

} // namespace

Transfer::Transfer(Route route, std::int64_t channels, std::size_t sources)
    : channels_(channels), leaving_(sources), staying_(sources), arriving_(std::move(route.in)),
      outgoing_(messages_of(route.out, channels)), incoming_(messages_of(arriving_, channels)) {
    for (std::size_t i = 0; i < route.out.size(); ++i)
        for (const Load &load : route.out[i].loads)
            leaving_[load.place.array].push_back({i, load});
    for (const Move &move : route.stay)
        staying_[move.from.array].push_back(move);
}

void Transfer::take(std::size_t source, const float *data, const Index &shape, const std::vector<Array> &targets) {
    for (const Leaving &leaving : leaving_[source]) {
        const Load &load = leaving.load;
        float *to = outgoing_[leaving.message].values + load.offset * channels_;
        copy_box(to, load.extent, {}, data, shape, load.place.at, load.extent, channels_);
    }
    for (const Move &move : staying_[source]) {
        const Array &target = targets[move.to.array];
        copy_box(target.data, target.shape, move.to.at, data, shape, move.from.at, move.extent, channels_);
    }
}

void Transfer::put(const std::vector<Array> &targets) const {
    for (std::size_t i = 0; i < arriving_.size(); ++i)
        for (const Load &load : arriving_[i].loads) {
            const Array &target = targets[load.place.array];
            const float *from = incoming_[i].values + load.offset * channels_;
            copy_box(target.data, target.shape, load.place.at, from, load.extent, {}, load.extent, channels_);
        }
}

std::size_t Transfer::floats() const {
    return static_cast<std::size_t>(bytes_out() + bytes_in()) / sizeof(float);
}

void Transfer::use(float *memory) {
    for (auto *messages : {&outgoing_, &incoming_})
        for (Message &message : *messages) {
            message.values = memory;
            memory += message.floats;
        }
}

std::int64_t Transfer::bytes(const std::vector<Message> &messages) {
    std::size_t floats = 0;
    for (const Message &message : messages)
        floats += message.floats;
    return static_cast<std::int64_t>(floats * sizeof(float));
}

} // namespace surrogate::mpi
