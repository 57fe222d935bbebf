/* python_ranks BUNDLE: every rank hands a communicator of its own making to the python engine, whose program must
 * return it in every cell of the increment. */
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>

#include <surrogate/surrogate.h>

int main(int argc, char **argv) {
    MPI_Comm comm;
    int rank;
    char text[64];
    float u[4] = {1, 1, 1, 1};
    const int64_t shape[3] = {1, 2, 2};
    surrogate_model *model = NULL;
    surrogate_open_options options;

    MPI_Init(&argc, &argv);
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Comm_rank(comm, &rank);
    const long handle = (long)MPI_Comm_c2f(comm);
    snprintf(text, sizeof text, "{\"communicator\": %ld}", handle);
    surrogate_open_options_init(&options, sizeof options);
    options.engine = "python";
    options.engine_options = text;
    if (surrogate_open(&model, argv[1], &options) ||
        surrogate_predict_array(model, u, u, SURROGATE_FLOAT32, 3, shape, NULL))
        printf("rank %d: %s\n", rank, surrogate_last_error());
    else
        printf("rank %d handle %s\n", rank, u[3] == 1.0f + (float)handle ? "arrived" : "differs");
    surrogate_close(model);
    MPI_Finalize();
    return 0;
}
