#include "node.h"

#include "agreement.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#ifdef __linux__
#include <sched.h>
#else
#include <thread>
#endif

namespace surrogate::mpi {

namespace {

/// What tells this machine from others: MPI's name of it, and what the system drew at its last start.
std::uint64_t machine() {
    char name[MPI_MAX_PROCESSOR_NAME + 1] = "";
    int length = 0;
    check_mpi(MPI_Get_processor_name(name, &length), "MPI_Get_processor_name");
    std::string start;
    std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), start);
    const std::string both = name + ("/" + start);
    return Quantity::digest("machine", both.data(), both.size()).bits;
}

/// Ranks that a test wants a node to have; 0: as it is.
int pretended_size() {
    const char *given = std::getenv("SURROGATE_MPI_RANKS_PER_NODE");
    return given ? std::max(0, std::atoi(given)) : 0;
}

} // namespace

Nodes find_nodes(Communicator &communicator) {
    struct Record {
        std::uint64_t machine;
        std::int64_t pretended;
    };
    const Record mine{machine(), pretended_size()};
    const std::vector<Record> records = gather_records(communicator, all_ranks(communicator), mine);
    Nodes nodes;
    std::map<std::uint64_t, int> node_of_machine; // the one that is being filled
    for (int rank = 0; rank < communicator.size(); ++rank) {
        const std::uint64_t key = records[static_cast<std::size_t>(rank)].machine;
        const auto known = node_of_machine.find(key);
        const bool full = known != node_of_machine.end() && records[0].pretended > 0 &&
                          static_cast<std::int64_t>(nodes.members[static_cast<std::size_t>(known->second)].size()) >=
                              records[0].pretended;
        if (known == node_of_machine.end() || full) {
            node_of_machine[key] = nodes.count();
            nodes.members.emplace_back();
        }
        nodes.node_of.push_back(node_of_machine[key]);
        nodes.members[static_cast<std::size_t>(nodes.node_of.back())].push_back(rank);
    }
    nodes.node = nodes.node_of[static_cast<std::size_t>(communicator.rank())];
    const auto &members = nodes.mine();
    nodes.rank = static_cast<int>(std::find(members.begin(), members.end(), communicator.rank()) - members.begin());
    return nodes;
}

Cores allowed_cores() {
    Cores cores;
#ifdef __linux__
    struct Free {
        void operator()(cpu_set_t *set) const { CPU_FREE(set); }
    };
    const std::size_t size = CPU_ALLOC_SIZE(MOST_CORES);
    const std::unique_ptr<cpu_set_t, Free> set(CPU_ALLOC(MOST_CORES));
    if (set && ::sched_getaffinity(0, size, set.get()) == 0)
        for (std::size_t core = 0; core < MOST_CORES; ++core)
            cores[core] = CPU_ISSET_S(core, size, set.get());
#else
    for (std::size_t core = 0; core < std::min<std::size_t>(std::thread::hardware_concurrency(), MOST_CORES); ++core)
        cores[core] = true;
#endif
    return cores;
}

int share_of_cores(const std::vector<Cores> &cores, std::size_t mine) {
    double share = 0;
    for (std::size_t core = 0; core < MOST_CORES; ++core)
        if (cores[mine][core])
            share += 1.0 / static_cast<double>(std::count_if(cores.begin(), cores.end(),
                                                             [core](const Cores &set) { return set[core]; }));
    return std::max(1, static_cast<int>(share + 1e-9)); // thirds may add up to a little less than one
}

} // namespace surrogate::mpi
