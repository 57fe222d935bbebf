/* mpi_predict BUNDLE MODES SHAPE PARTS [TILE [WALLS]], shapes as 16x12, modes as auto,tiles: every rank predicts its
 * block of a domain, and compares it, bit by bit, with what one process makes of the whole. Fails unless all frames are
 * those. */
#include "domain.h"

static int rank, size;

static void read_shape(const char *text, int64_t shape[3], int64_t unused, int *axes) {
    shape[0] = shape[1] = shape[2] = unused;
    for (*axes = 0; *axes < 3; ++*axes) {
        char *end;
        shape[*axes] = strtol(text, &end, 10);
        text = end + 1;
        if (*end != 'x') {
            ++*axes;
            return;
        }
    }
}

static int mode_of(const char *name) {
    int mode;
    for (mode = SURROGATE_MPI_AUTO; mode <= SURROGATE_MPI_BATCH; ++mode)
        if (!strcmp(surrogate_mpi_mode_name(mode), name))
            return mode;
    fprintf(stderr, "no mode: %s\n", name);
    exit(2);
}

static void fields_with_ghost_cells(surrogate_mpi_model *m, const domain *d, const box *block, const state *expected,
                                    int64_t walls) {
    const surrogate_step_options step = step_of(d, block);
    state now = make_state(d, d->axes, block, expected->dtype, NAN);
    state next = make_state(NULL, d->axes, block, expected->dtype, -1);
    next.fields[2].data = NULL; /* mask is not predicted */
    CHECK_STATUS(surrogate_mpi_predict(m, next.fields, now.fields, FIELDS, &step), SURROGATE_OK, "");
    CHECK(differences(d, &next, expected, walls) == 0);
    CHECK(get(&next, 0) == -1 && get(&next, at(&next, 3, 0, 0, 0)) == -1);
    CHECK_STATUS(surrogate_mpi_predict(m, now.fields, now.fields, FIELDS, &step), SURROGATE_OK, "");
    CHECK(differences(d, &now, expected, walls) == 0); /* in place */
    free(now.values);
    free(next.values);
}

static void one_dense_array(surrogate_mpi_model *m, const domain *d, const box *block, const state *expected,
                            int64_t walls) {
    const surrogate_step_options step = step_of(d, block);
    const int64_t cells = cells_of(block);
    double *array = malloc((size_t)(CHANNELS * cells) * sizeof *array), *value = array;
    int64_t shape[4] = {CHANNELS}, cell[3], wrong = 0;
    int c, k;
    for (k = 0; k < d->axes; ++k)
        shape[1 + k] = block->upper[k] - block->lower[k];
#define FOR_EACH_CELL                                                                                                  \
    for (c = 0, value = array; c < CHANNELS; ++c)                                                                      \
        for (cell[0] = block->lower[0]; cell[0] < block->upper[0]; ++cell[0])                                          \
            for (cell[1] = block->lower[1]; cell[1] < block->upper[1]; ++cell[1])                                      \
                for (cell[2] = block->lower[2]; cell[2] < block->upper[2]; ++cell[2], ++value)
    FOR_EACH_CELL *value = value_of(d, c, cell);
    CHECK_STATUS(surrogate_mpi_predict_array(m, array, array, SURROGATE_FLOAT64, 1 + d->axes, shape, &step),
                 SURROGATE_OK, "");
    FOR_EACH_CELL if (c < 3 && cell[0] >= walls && cell[0] < d->shape[0] - walls) wrong +=
        *value != get(expected, at(expected, c, cell[0], cell[1], cell[2]));
    CHECK(wrong == 0);
    free(array);
}

static void report(surrogate_mpi_model *m, int mode) {
    surrogate_mpi_report r;
    r.struct_size = sizeof r;
    CHECK_STATUS(surrogate_mpi_get_report(m, &r), SURROGATE_OK, "");
    CHECK(r.ranks == size && r.rank == rank && r.node_ranks >= 1 && r.nodes >= 1);
    CHECK(mode == SURROGATE_MPI_AUTO || r.mode == mode);
    CHECK(strstr(r.choice, surrogate_mpi_mode_name(r.mode)) == r.choice);
    CHECK(r.pack_seconds > 0 && r.output_seconds > 0 && (r.tiles == 0) == (r.program_seconds == 0));
    CHECK((r.bytes_received >= r.minimum_bytes) && (size > 1 || r.bytes_sent + r.bytes_received == 0));
    printf("%d: %s %lld tiles of %lldx%lldx%lld, %lld of %lld bytes\n", rank, r.choice, (long long)r.tiles,
           (long long)r.tile_shape[0], (long long)r.tile_shape[1], (long long)r.tile_shape[2],
           (long long)r.bytes_received, (long long)r.minimum_bytes);
}

/* Every rank predicts its block of the domain, then another block. */
static void predict_in(const char *path, const surrogate_mpi_options *options, const domain *d, const int64_t parts[3],
                       int64_t walls) {
    surrogate_mpi_model *m = NULL;
    int shift, dtype;
    if (!CHECK_STATUS(surrogate_mpi_open(&m, MPI_COMM_WORLD, path, NULL, options), SURROGATE_OK, ""))
        exit(1);
    for (shift = 0; shift < 2; ++shift)
        for (dtype = SURROGATE_FLOAT32; dtype <= SURROGATE_FLOAT64; ++dtype) {
            const box block = uneven_block(d, parts, (rank + shift) % size);
            state expected = serial(path, d, dtype, 0);
            fields_with_ghost_cells(m, d, &block, &expected, walls);
            if (dtype == SURROGATE_FLOAT64)
                one_dense_array(m, d, &block, &expected, walls);
            free(expected.values);
        }
    report(m, options->mode);
    CHECK_STATUS(surrogate_mpi_close(m), SURROGATE_OK, "");
}

int main(int argc, char **argv) {
    surrogate_mpi_options options;
    domain d;
    int64_t parts[3], walls = argc > 6 ? strtol(argv[6], NULL, 10) : 0;
    char *mode;
    int axes;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (argc < 5)
        return 2;
    read_shape(argv[3], d.shape, 1, &d.axes);
    read_shape(argv[4], parts, 1, &axes);
    surrogate_mpi_options_init(&options, sizeof options);
    options.reader = size - 1;
    options.deadline = 20;
    if (argc > 5)
        read_shape(argv[5], options.tile_shape, 0, &axes);
    for (mode = strtok(argv[2], ","); mode; mode = strtok(NULL, ",")) {
        options.mode = mode_of(mode);
        predict_in(argv[1], &options, &d, parts, walls);
    }
    MPI_Finalize();
    return finish();
}
