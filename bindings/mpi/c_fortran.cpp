// Communicators as the integers of Fortran.
#include <surrogate/surrogate_mpi.h>

namespace {

// An integer that names none, and any integer before MPI_Init, is NULL in some implementations.
MPI_Comm communicator(MPI_Fint handle) {
    const MPI_Comm comm = MPI_Comm_f2c(handle);
    return comm == MPI_Comm() ? MPI_COMM_NULL : comm;
}

} // namespace

extern "C" int surrogate_mpi_open_f(surrogate_mpi_model **model, MPI_Fint comm, const char *path,
                                    const surrogate_open_options *open, const surrogate_mpi_options *options) {
    return surrogate_mpi_open(model, communicator(comm), path, open, options);
}

extern "C" int surrogate_mpi_recorder_open_f(surrogate_mpi_recorder **recorder, MPI_Fint comm, const char *path,
                                             const surrogate_recorder_options *options, double deadline) {
    return surrogate_mpi_recorder_open(recorder, communicator(comm), path, options, deadline);
}
