/* What run.py measures under mpirun; each prints one JSON object on rank 0.
 *
 *   scaling jumps BUNDLE STATE CHANNELS NY NX ROUNDS PAIRS CASE...   jumps in turns, and their differences (jumps.c)
 *   scaling overhead BUNDLE CELLS BLOCKS CALLS                       one rank against surrogate_predict (overhead.c)
 *   scaling messages ROUNDS                                          ping-pong of two ranks (messages.c)
 */
#include <mpi.h>
#include <stdio.h>
#include <string.h>

#include "measurements.h"

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int status = 2;
    if (argc >= 10 && strcmp(argv[1], "jumps") == 0)
        status = measure_jumps(argc - 2, argv + 2);
    else if (argc == 6 && strcmp(argv[1], "overhead") == 0)
        status = measure_overhead(argv + 2);
    else if (argc == 3 && strcmp(argv[1], "messages") == 0)
        status = measure_messages(argv + 2);
    else
        fprintf(stderr, "scaling: expected jumps, overhead or messages with their arguments; see main.c\n");
    if (status)
        MPI_Abort(MPI_COMM_WORLD, status);
    MPI_Finalize();
    return 0;
}
