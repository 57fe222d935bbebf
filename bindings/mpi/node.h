// Which ranks share a machine, its cores and its GPUs.
#pragma once

#include "communicator.h"

#include <string>
#include <vector>

namespace surrogate::mpi {

/// The ranks of a communicator by node, on every rank.
/// $SURROGATE_MPI_RANKS_PER_NODE, for tests: nodes are runs of so many ranks that share a machine in truth.
struct Nodes {
    std::vector<int> node_of;              ///< node of each rank; nodes are numbered by their lowest rank
    std::vector<std::vector<int>> members; ///< ranks of each node, ascending
    int node = 0;                          ///< of this rank
    int rank = 0;                          ///< this rank's place among the members of its node

    int count() const { return static_cast<int>(members.size()); }
    int size() const { return static_cast<int>(mine().size()); } ///< ranks of this node
    const std::vector<int> &mine() const { return members[static_cast<std::size_t>(node)]; }
    int leader() const { return mine().front(); }
    bool leads() const { return rank == 0; }
};

/// Collective: split the ranks by machine. After an agreement only: it cannot have a deadline.
Nodes find_nodes(Communicator &communicator);

/// GPUs that the driver shows this process; 0 without a driver.
int count_gpus();

/// The cores that this process may run on, by number.
std::vector<int> allowed_cores();

/// Threads for rank `mine` of a node: the cores that it may use, each divided by the ranks that may use it too.
/// cores[i]: of the i-th rank of the node that runs programs. At least 1.
int share_of_cores(const std::vector<std::vector<int>> &cores, std::size_t mine);

} // namespace surrogate::mpi
