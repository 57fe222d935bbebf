// Everything behind a surrogate_mpi_model handle.
#pragma once

#include "agreement.h"
#include "node.h"

namespace surrogate::mpi {

class Prediction;

/// What surrogate_mpi_open found out, for surrogate_mpi_get_report.
struct OpenFacts {
    double read_seconds = 0; ///< reading and distributing
    double seconds = 0;      ///< all of it
    int device = -1;         ///< CUDA ordinal of this rank's program; -1: the CPU, or no program
    int threads = 0;         ///< of this rank's program; 0: no program
    int gpus = 0;            ///< of this rank's node
    bool runs = true;        ///< whether this rank loaded a program
};

/// One rank's part of a model.
struct Model {
    Model(MPI_Comm comm, double deadline);
    ~Model(); ///< of a broken communicator: leaks what MPI may still touch
    Model(const Model &) = delete;
    Model &operator=(const Model &) = delete;

    Communicator communicator;
    Nodes nodes;
    surrogate_mpi_options options{}; ///< of this rank, which equal those of all; mode as given, AUTO included
    surrogate_model *local = nullptr;
    surrogate_info info{}; ///< of `local`
    OpenFacts facts;
    int mode = SURROGATE_MPI_AUTO; ///< that programs were loaded for; AUTO's may end in GATHER on options.reader too
    std::vector<int> runners;      ///< ranks that loaded a program, ascending; equal on all ranks
    std::vector<int> leaders;      ///< of every rank, the rank of its node that runs its tiles in mode BATCH
    surrogate_mpi_rejection rejection{sizeof(surrogate_mpi_rejection), -1, 0, 0, 0, {0, 0, 0}, 0, 0, 0};
    std::unique_ptr<Prediction> prediction; ///< blocks, plan and buffers
};

} // namespace surrogate::mpi

struct surrogate_mpi_model : surrogate::mpi::Model {
    using Model::Model;
    ~surrogate_mpi_model(); ///< closes the handle
};

namespace surrogate::mpi {

/// The model of an open handle; ERROR_ARGUMENT if it is NULL, was closed, or is none.
Model &opened(surrogate_mpi_model *handle);

/// From now on the handle is open.
void keep_handle(surrogate_mpi_model *handle);
/// An open handle, to be closed; ERROR_ARGUMENT as above.
std::unique_ptr<surrogate_mpi_model> take_handle(surrogate_mpi_model *handle);

} // namespace surrogate::mpi
