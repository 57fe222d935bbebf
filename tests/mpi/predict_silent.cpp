// mpi_predict_silent MODE FOLDER BUNDLE STEP SILENT: all ranks predict again and again; rank SILENT stops, as it would
// if its node hung, when it has made STEP calls of MPI in its predictions. The others write what they are told.
#include "block.hpp"
#include "rank.hpp"

#include <surrogate/surrogate_mpi.h>

#include <cstdlib>

static int calls_until_stop = -1; // -1: never

/// Counts down, through MPI's profiling interface, the calls that send or look for messages.
static void count_call() {
    if (calls_until_stop >= 0 && calls_until_stop-- == 0)
        stop();
}
extern "C" int MPI_Isend(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
                         MPI_Request *request) {
    count_call();
    return PMPI_Isend(data, count, type, to, tag, comm, request);
}
extern "C" int MPI_Irecv(void *data, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm,
                         MPI_Request *request) {
    count_call();
    return PMPI_Irecv(data, count, type, from, tag, comm, request);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank = 0, size = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    surrogate_mpi_options options;
    surrogate_mpi_options_init(&options, sizeof options);
    options.mode = std::atoi(argv[1]);
    options.deadline = 1;
    surrogate_mpi_model *model = nullptr;
    if (surrogate_mpi_open(&model, MPI_COMM_WORLD, argv[3], nullptr, &options) != SURROGATE_OK)
        return 1;
    Block block(rank, size);
    if (rank == std::atoi(argv[5]))
        calls_until_stop = std::atoi(argv[4]);
    int status = SURROGATE_OK;
    double begun = now();
    for (int i = 0; i < 1000 && status == SURROGATE_OK; ++i) {
        begun = now();
        status = block.predict(model);
    }
    {
        Answers answers(argv[2], rank);
        answers.add(surrogate_status_name(status), "|", surrogate_last_error());
        answers.add(now() - begun);
        begun = now();
        answers.add(surrogate_status_name(block.predict(model)), "|", surrogate_last_error());
        answers.add(surrogate_status_name(surrogate_mpi_close(model)));
        answers.add(now() - begun);
    }
    return leave(false);
}
