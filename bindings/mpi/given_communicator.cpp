#include "given_communicator.h"

namespace surrogate::mpi {

void check_running() {
    int begun = 0, ended = 0;
    MPI_Initialized(&begun);
    MPI_Finalized(&ended);
    if (!begun || ended)
        fail(SURROGATE_ERROR_ARGUMENT, "MPI is ", begun ? "finalised already" : "not initialised",
             "; call between MPI_Init and MPI_Finalize");
}

void check_intra(MPI_Comm given) {
    if (given == MPI_COMM_NULL)
        fail(SURROGATE_ERROR_ARGUMENT, "comm is MPI_COMM_NULL, expected an intra-communicator; ranks that are not part "
                                       "of it must not make this call");
    int inter = 0;
    check_mpi(MPI_Comm_test_inter(given, &inter), "MPI_Comm_test_inter");
    if (inter)
        fail(SURROGATE_ERROR_ARGUMENT,
             "comm is an inter-communicator, expected an intra-communicator; merge its groups "
             "with MPI_Intercomm_merge");
}

} // namespace surrogate::mpi
