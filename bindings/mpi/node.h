// Which ranks share a machine, its cores and its GPUs.
#pragma once

#include "communicator.h"

#include <bitset>
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

/// Collective: tell the ranks apart by the machine that they run on. On ERROR_TIMEOUT all ranks must agree.
Nodes find_nodes(Communicator &communicator);

/// Cores of one machine.
constexpr int MOST_CORES = 4096;
using Cores = std::bitset<MOST_CORES>;

/// The cores that this process may run on.
Cores allowed_cores();

/// Threads for the `mine`-th of some ranks of a node, whose cores are these: a core counts for 1 / (ranks that may use
/// it). At least 1.
int share_of_cores(const std::vector<Cores> &cores, std::size_t mine);

} // namespace surrogate::mpi
