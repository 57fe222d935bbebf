#include "roles.h"

#include "core/host.h"

#include <algorithm>
#include <set>

namespace surrogate::mpi {

namespace {

/// "cuda:3" is 3; -1: no number.
int ordinal_of(const std::string &device) {
    return device.compare(0, 5, "cuda:") == 0 && device.size() > 5 ? std::atoi(device.c_str() + 5) : -1;
}

/// The GPU of the `place`-th runner of a node.
int ordinal_of(const Wish &wish, const Surroundings &at, std::size_t place) {
    const int asked = ordinal_of(wish.device());
    if (asked >= 0 || at.gpu_count == 0)
        return asked;
    return static_cast<int>(place % static_cast<std::size_t>(at.gpu_count));
}

std::vector<int> leaders_of(const Model &model, const Wish &wish, const std::vector<std::int32_t> &gpus_of_node) {
    std::vector<int> leaders(model.nodes.node_of.size());
    const bool many_gpus = wish.wants_gpu() && ordinal_of(wish.device()) < 0;
    for (std::size_t node = 0; node < model.nodes.members.size(); ++node) {
        const auto &members = model.nodes.members[node];
        const std::size_t size = members.size();
        const int wanted = model.options.leaders > 0 ? model.options.leaders : many_gpus ? gpus_of_node[node] : 1;
        const std::size_t count = std::clamp<std::size_t>(static_cast<std::size_t>(std::max(wanted, 1)), 1, size);
        for (std::size_t i = 0; i < size; ++i) {
            const std::size_t group = i * count / size; // whose first member is the least i with this group
            leaders[static_cast<std::size_t>(members[i])] = members[(group * size + count - 1) / count];
        }
    }
    return leaders;
}

int mode_of(const Model &model, const Wish &wish, const std::vector<std::int32_t> &gpus_of_node) {
    const surrogate_info &info = model.info;
    if (model.options.mode != SURROGATE_MPI_AUTO)
        return model.options.mode;
    const bool fixed = std::any_of(info.fixed_shape, info.fixed_shape + 3, [](std::int64_t n) { return n > 0; });
    if (info.reduces_over_space || fixed)
        return SURROGATE_MPI_GATHER;
    for (std::size_t node = 0; node < gpus_of_node.size() && wish.wants_gpu(); ++node)
        if (gpus_of_node[node] > 0 && model.nodes.members[node].size() > static_cast<std::size_t>(gpus_of_node[node]))
            return SURROGATE_MPI_BATCH;
    return SURROGATE_MPI_TILES;
}

} // namespace

Surroundings look_around(const Wish &wish) {
    Surroundings found;
    found.cores = allowed_cores();
    if (!wish.wants_gpu())
        return found;
    const std::vector<std::uint64_t> gpus = core::gpu_ids();
    const std::size_t count = std::min(gpus.size(), Surroundings::MOST_GPUS);
    found.gpu_count = static_cast<std::int32_t>(count);
    std::copy_n(gpus.begin(), count, found.gpus);
    return found;
}

int distinct_gpus(const std::vector<Surroundings> &node) {
    std::set<std::uint64_t> gpus;
    for (const Surroundings &at : node)
        gpus.insert(at.gpus, at.gpus + at.gpu_count);
    return static_cast<int>(gpus.size());
}

void cast(Model &model, const Wish &wish, const std::vector<std::int32_t> &gpus_of_node) {
    const bool named = model.options.mode != SURROGATE_MPI_AUTO;
    model.mode = mode_of(model, wish, gpus_of_node);
    model.leaders = leaders_of(model, wish, gpus_of_node);
    std::set<int> runners;
    if (model.mode == SURROGATE_MPI_BATCH)
        runners.insert(model.leaders.begin(), model.leaders.end());
    if (model.mode == SURROGATE_MPI_GATHER || (model.mode == SURROGATE_MPI_BATCH && !named))
        runners.insert(model.options.reader);
    if (model.mode == SURROGATE_MPI_TILES)
        for (const int rank : all_ranks(model.communicator))
            runners.insert(rank);
    model.runners.assign(runners.begin(), runners.end());
    model.facts.runs = runners.count(model.communicator.rank()) > 0;
}

Role role_of(const Model &model, const Wish &wish, const std::vector<Surroundings> &node) {
    std::vector<Surroundings> at; // of the runners of this node
    std::size_t mine = 0;
    for (std::size_t i = 0; i < node.size(); ++i) {
        const int rank = model.nodes.mine()[i];
        if (rank == model.communicator.rank())
            mine = at.size();
        if (std::binary_search(model.runners.begin(), model.runners.end(), rank))
            at.push_back(node[i]);
    }
    std::vector<Cores> cores;
    std::vector<std::uint64_t> gpus;
    for (std::size_t i = 0; i < at.size(); ++i) {
        cores.push_back(at[i].cores);
        if (const int ordinal = ordinal_of(wish, at[i], i); ordinal >= 0 && ordinal < at[i].gpu_count)
            gpus.push_back(at[i].gpus[ordinal]);
    }
    Role role;
    const int ordinal = wish.wants_gpu() ? ordinal_of(wish, at[mine], mine) : -1;
    role.device = ordinal >= 0 ? text("cuda:", ordinal) : wish.device();
    role.threads = wish.threads() > 0 ? wish.threads() : std::min(core::default_threads(), share_of_cores(cores, mine));
    if (ordinal >= 0 && ordinal < at[mine].gpu_count)
        if (const auto sharing = std::count(gpus.begin(), gpus.end(), at[mine].gpus[ordinal]); sharing > 1)
            role.warning = text(sharing, " ranks of this node share ", role.device,
                                ": each waits for the others; use fewer ranks a node, or mode \"batch\"");
    return role;
}

} // namespace surrogate::mpi
