/* Ping-pong of ranks 0 and 1 of the world: half the time of a round trip, by size of message. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "measurements.h"

enum { LARGEST = 1 << 22 };

static double one_way(char *data, int bytes, int trips, int rank) {
    MPI_Barrier(MPI_COMM_WORLD);
    double seconds = -MPI_Wtime();
    for (int k = 0; k < trips; k++)
        for (int sender = 0; sender < 2; sender++)
            if (rank == sender)
                MPI_Send(data, bytes, MPI_BYTE, 1 - rank, 0, MPI_COMM_WORLD);
            else
                MPI_Recv(data, bytes, MPI_BYTE, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return (seconds + MPI_Wtime()) / (2.0 * trips);
}

int measure_messages(char **argv) {
    const int rounds = atoi(argv[0]);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    char *data = calloc(LARGEST, 1);
    if (size != 2 || !data) {
        fprintf(stderr, "scaling: messages needs 2 ranks, got %d\n", size);
        return 2;
    }
    for (int bytes = 8; bytes <= LARGEST; bytes *= 8) {
        const int trips = bytes < 65536 ? 200 : 20;
        if (rank == 0)
            printf("%s\"%d\": [", bytes == 8 ? "{\"seconds\": {" : ", ", bytes);
        for (int round = -1; round < rounds; round++) {
            double seconds = one_way(data, bytes, trips, rank);
            if (rank == 0 && round >= 0)
                printf("%s%.4g", round ? ", " : "", seconds);
        }
        if (rank == 0)
            printf("]");
    }
    if (rank == 0)
        printf("}}\n");
    free(data);
    return 0;
}
