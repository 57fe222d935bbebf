/* A solver whose domain lies in blocks on the ranks of MPI, with a surrogate in its loop: two decaying tracers.
 * Usage: mpirun -n RANKS blocks_c BUNDLE OUTPUT [JUMPS]; rank K writes its block to OUTPUT.K.
 * The same in Fortran and Python stands beside it. */
#include <stdio.h>
#include <stdlib.h>
#include <surrogate/surrogate_mpi.h>

enum { NX = 64, NY = 32 };

static void fail(void) {
    fprintf(stderr, "%s\n", surrogate_last_error());
    MPI_Abort(MPI_COMM_WORLD, 1);
}

int main(int argc, char **argv) {
    int size, rank, parts[2] = {0, 0};
    MPI_Init(&argc, &argv);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (argc < 3)
        return fprintf(stderr, "usage: %s BUNDLE OUTPUT [JUMPS]\n", argv[0]), MPI_Finalize(), 2;
    int jumps = argc > 3 ? atoi(argv[3]) : 4, accepted = 0, rejected = 0;

    MPI_Dims_create(size, 2, parts); /* blocks along y and x; sizes differ by one cell at most */
    int64_t place[2] = {rank / parts[1], rank % parts[1]}, whole[2] = {NY, NX}, shape[2];
    surrogate_step_options step;
    surrogate_step_options_init(&step, sizeof step);
    for (int k = 0; k < 2; k++) {
        step.global_shape[k] = whole[k];
        step.origin[k] = place[k] * whole[k] / parts[k];
        shape[k] = (place[k] + 1) * whole[k] / parts[k] - step.origin[k];
    }
    size_t cells = (size_t)(shape[0] * shape[1]);
    double *c = malloc(cells * sizeof *c), *q = malloc(cells * sizeof *q);
    if (!c || !q)
        return perror("malloc"), MPI_Abort(MPI_COMM_WORLD, 1), 1;
    for (size_t n = 0; n < cells; n++) {
        double x = ((double)(step.origin[1] + (int64_t)n % shape[1]) + 0.5) / NX;
        double y = ((double)(step.origin[0] + (int64_t)n / shape[1]) + 0.5) / NY;
        c[n] = 16 * x * (1 - x) * y * (1 - y);
        q[n] = x < 0.5 ? 1 : 0;
    }

    surrogate_mpi_model *model;
    surrogate_field state[2];
    surrogate_field_init(&state[0], "c", c, SURROGATE_FLOAT64, 2, shape);
    surrogate_field_init(&state[1], "q", q, SURROGATE_FLOAT64, 2, shape);
    if (surrogate_mpi_open(&model, MPI_COMM_WORLD, argv[1], NULL, NULL) < 0)
        fail();
    while (accepted + rejected < jumps) {
        int outcome =
            surrogate_mpi_predict(model, state, state, 2, &step); /* in place; the same outcome on all ranks */
        if (outcome < 0)
            fail();
        if (outcome == SURROGATE_REJECTED) /* the solver steps itself */
            for (size_t n = 0; n < cells; n++)
                c[n] /= 2, q[n] /= 2;
        outcome == SURROGATE_OK ? accepted++ : rejected++;
    }
    surrogate_mpi_close(model);

    char name[1024];
    snprintf(name, sizeof name, "%s.%d", argv[2], rank);
    FILE *file = fopen(name, "wb");
    if (!file || fwrite(c, sizeof *c, cells, file) != cells || fwrite(q, sizeof *q, cells, file) != cells ||
        fclose(file))
        return perror(name), MPI_Abort(MPI_COMM_WORLD, 1), 1;
    if (rank == 0)
        printf("accepted %d, rejected %d\n", accepted, rejected);
    free(c), free(q);
    return MPI_Finalize();
}
