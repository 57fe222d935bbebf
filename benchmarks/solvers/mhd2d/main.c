/* mhd2d: see options.c for the command line, run.c for the time loop. */
#include <mpi.h>
#include <stdio.h>

#include "error.h"
#include "run.h"

/* Failures are collective, their text may be on one rank only: the lowest that has one speaks. Collective. */
static void print_error(int rank) {
    int ranks, speaker, candidate;
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    candidate = *last_error() ? rank : ranks;
    MPI_Allreduce(&candidate, &speaker, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (rank == speaker)
        fprintf(stderr, "mhd2d: %s\n", last_error());
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    options o;
    int status = options_parse(&o, argc, argv, rank);
    if (status == 0)
        status = run(&o);
    if (status < 0)
        print_error(rank);
    MPI_Finalize();
    return status < 0 ? 2 : 0;
}
