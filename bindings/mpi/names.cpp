// Names of what the header enumerates.
#include <surrogate/surrogate_mpi.h>

extern "C" const char *surrogate_mpi_mode_name(int mode) {
    switch (mode) {
    case SURROGATE_MPI_AUTO:
        return "auto";
    case SURROGATE_MPI_TILES:
        return "tiles";
    case SURROGATE_MPI_GATHER:
        return "gather";
    case SURROGATE_MPI_BATCH:
        return "batch";
    default:
        return "unknown";
    }
}
