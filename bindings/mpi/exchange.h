// A transfer carried out: all its messages on their way at once, then waited for.
#pragma once

#include "communicator.h"
#include "transfer.h"

namespace surrogate::mpi {

/// What the exchanges of a model have under way; kept from call to call.
struct Requests {
    std::vector<MPI_Request> requests;
    std::vector<int> peers;
};

/// Send what `transfer` took and receive what it will put. Collective among the ranks of the route. what: "the halo",
/// for messages. On any failure all ranks must agree.
void exchange(Communicator &communicator, Transfer &transfer, Requests &requests, int tag, const char *what);

} // namespace surrogate::mpi
