// Which ranks load a program, on which GPU, with how many threads.
#pragma once

#include "model.h"
#include "wish.h"

namespace surrogate::mpi {

/// What a rank finds on its machine.
struct Surroundings {
    static constexpr std::size_t MOST_GPUS = 32;
    std::int32_t gpu_count = 0;         // that the driver shows this process
    std::uint64_t gpus[MOST_GPUS] = {}; // see core::gpu_ids
    Cores cores;                        // that this process may run on
};

/// This rank's program.
struct Role {
    std::string device;
    int threads = 0;
    std::string warning; ///< "" or a sentence for the log
};

/// Look at GPUs (if `wish` wants one) and cores.
Surroundings look_around(const Wish &wish);

/// Settle model.mode, .leaders and .runners from model.info, .options and the GPUs of every node.
void cast(Model &model, const Wish &wish, const std::vector<std::int32_t> &gpus_of_node);

/// GPUs of a node, of which each rank may see others.
int distinct_gpus(const std::vector<Surroundings> &node);

/// What this rank, a runner, is to open its program with. node: the surroundings of model.nodes.mine().
Role role_of(const Model &model, const Wish &wish, const std::vector<Surroundings> &node);

} // namespace surrogate::mpi
