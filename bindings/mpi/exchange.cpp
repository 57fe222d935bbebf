#include "exchange.h"

namespace surrogate::mpi {

void exchange(Communicator &communicator, Transfer &transfer, Requests &pending, int tag, const char *what) {
    pending.requests.clear();
    pending.peers.clear();
    for (Message &message : transfer.incoming())
        communicator.receive(pending.requests, pending.peers, message.values.data(),
                             message.values.size() * sizeof(float), message.peer, tag);
    for (const Message &message : transfer.outgoing())
        communicator.send(pending.requests, pending.peers, message.values.data(), message.values.size() * sizeof(float),
                          message.peer, tag);
    communicator.wait(pending.requests, pending.peers, communicator.deadline(), what);
}

} // namespace surrogate::mpi
