#include "model.h"

#include "prediction.h"
#include "registry.h"

namespace surrogate::mpi {

static Registry<surrogate_mpi_model> &registry() {
    static auto *const all = new Registry<surrogate_mpi_model>("model", "surrogate_mpi_open");
    return *all; // never destroyed: a solver may close in a destructor of its own
}

Model::Model(MPI_Comm comm, double deadline) : communicator(comm, deadline) {}

Model::~Model() {
    surrogate_close(local);
    if (communicator.broken()) // its buffers may still be written to
        static_cast<void>(prediction.release());
}

void keep_handle(surrogate_mpi_model *handle) {
    registry().add(handle);
}

Model &opened(surrogate_mpi_model *handle) {
    return registry().find(handle);
}

std::unique_ptr<surrogate_mpi_model> take_handle(surrogate_mpi_model *handle) {
    return std::unique_ptr<surrogate_mpi_model>(&registry().find(handle));
}

} // namespace surrogate::mpi

surrogate_mpi_model::~surrogate_mpi_model() {
    surrogate::mpi::registry().remove(this);
}
