// Copies of one rank's bytes on others, down a tree; records of all ranks, up and down it.
#include "communicator.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace surrogate::mpi {

namespace {

constexpr std::size_t PIPELINE = std::size_t{4} << 20; // bytes that are handed on before the next are there

struct Pending {
    std::vector<MPI_Request> requests;
    std::vector<int> peers;
};

void wait_for(Communicator &communicator, Pending &pending, const char *what) {
    communicator.wait(pending.requests, pending.peers, communicator.deadline(), what);
    pending.requests.clear();
    pending.peers.clear();
}

std::size_t place_of(const Communicator &communicator, const std::vector<int> &ranks) {
    return static_cast<std::size_t>(std::find(ranks.begin(), ranks.end(), communicator.rank()) - ranks.begin());
}

} // namespace

void spread(Communicator &communicator, const std::vector<int> &ranks, void *data, std::size_t bytes) {
    communicator.require_heard();
    const Tree tree(static_cast<int>(place_of(communicator, ranks)), static_cast<int>(ranks.size()));
    Pending received, sent;
    char *at = static_cast<char *>(data);
    for (std::size_t done = 0; done < bytes; done += PIPELINE) {
        const std::size_t count = std::min(PIPELINE, bytes - done);
        if (tree.parent >= 0) {
            communicator.receive(received.requests, received.peers, at + done, count,
                                 ranks[static_cast<std::size_t>(tree.parent)], TAG_TREE);
            wait_for(communicator, received, "data");
        }
        for (const int child : tree.children)
            communicator.send(sent.requests, sent.peers, at + done, count, ranks[static_cast<std::size_t>(child)],
                              TAG_TREE);
    }
    wait_for(communicator, sent, "the receipt of data");
}

std::vector<char> broadcast(Communicator &communicator, std::vector<char> bytes, int root) {
    std::vector<int> ranks = all_ranks(communicator);
    std::rotate(ranks.begin(), ranks.begin() + root, ranks.end());
    Kept<std::uint64_t> size(communicator);
    Kept<std::vector<char>> data(communicator);
    *size = bytes.size();
    spread(communicator, ranks, &*size, sizeof *size);
    *data = std::move(bytes);
    data->resize(*size);
    spread(communicator, ranks, data->data(), data->size());
    return std::move(*data);
}

std::vector<char> all_gather(Communicator &communicator, const std::vector<int> &ranks, const void *record,
                             std::size_t bytes) {
    communicator.require_heard();
    const std::size_t place = place_of(communicator, ranks), size = ranks.size();
    const Tree tree(static_cast<int>(place), static_cast<int>(size));
    Kept<std::vector<char>> records(communicator);
    records->resize(bytes * size);
    std::memcpy(records->data() + bytes * place, record, bytes);
    Pending pending;
    std::size_t mine = 1; // records of this place and those below it in the tree, which are the next places
    for (const int child : tree.children) {
        const auto first = static_cast<std::size_t>(child);
        const std::size_t count = std::min(first - place, size - first);
        communicator.receive(pending.requests, pending.peers, records->data() + bytes * first, bytes * count,
                             ranks[first], TAG_TREE);
        mine += count;
    }
    wait_for(communicator, pending, "a record");
    if (tree.parent >= 0)
        communicator.send(pending.requests, pending.peers, records->data() + bytes * place, bytes * mine,
                          ranks[static_cast<std::size_t>(tree.parent)], TAG_TREE);
    wait_for(communicator, pending, "the receipt of a record");
    spread(communicator, ranks, records->data(), records->size());
    return std::move(*records);
}

std::vector<char> all_gather(Communicator &communicator, const void *record, std::size_t bytes) {
    return all_gather(communicator, all_ranks(communicator), record, bytes);
}

std::vector<int> all_ranks(const Communicator &communicator) {
    std::vector<int> ranks(static_cast<std::size_t>(communicator.size()));
    std::iota(ranks.begin(), ranks.end(), 0);
    return ranks;
}

} // namespace surrogate::mpi
