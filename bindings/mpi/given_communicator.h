// The communicator that a caller hands over, before there is one of our own.
#pragma once

#include "failure.h"

namespace surrogate::mpi {

/// For a while, errors on the caller's communicator come back as codes and do not end the program.
class ReturnedErrors {
  public:
    explicit ReturnedErrors(MPI_Comm comm) : comm_(comm) {
        check_mpi(MPI_Comm_get_errhandler(comm, &handler_), "MPI_Comm_get_errhandler");
        MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    }
    ~ReturnedErrors() {
        MPI_Comm_set_errhandler(comm_, handler_);
        if (handler_ != MPI_ERRORS_ARE_FATAL && handler_ != MPI_ERRORS_RETURN)
            MPI_Errhandler_free(&handler_);
    }
    ReturnedErrors(const ReturnedErrors &) = delete;
    ReturnedErrors &operator=(const ReturnedErrors &) = delete;

  private:
    const MPI_Comm comm_;
    MPI_Errhandler handler_ = MPI_ERRHANDLER_NULL;
};

/// ERROR_ARGUMENT unless MPI runs: almost every other call of it would end the program.
void check_running();
/// ERROR_ARGUMENT unless `given` is an intra-communicator.
void check_intra(MPI_Comm given);

} // namespace surrogate::mpi
