/* A recording of a domain that lies in blocks on ranks, or the same by one process.
 * recorder MODE PATH SHAPE GRID PRECISION COMPRESSION FRAMES [DEADLINE]
 *   MODE   serial: surrogate_recorder, without MPI; ranks: surrogate_mpi_recorder, and every rank prints what its calls
 *          return; watched: the same, and rank 0 prints each frame when its write has returned
 *   SHAPE  cells, slowest axis first: 6,8;  GRID  ranks along each axis: 2,1 (blocks of different sizes)
 * Fields: rho, float64 behind ghost cells; v, float32, components first; g, float64, a tensor, components last. */
#define _XOPEN_SOURCE 700
#include "check.h"

#include <surrogate/surrogate_mpi.h>

#include <unistd.h>

enum { GHOST = 2 };

static int axes, ranks = 1, mine = 0, frames;
static int64_t whole[3], origin[3], shape[3];

static void cut(const char *cells, const char *grid) {
    int64_t parts[3] = {1, 1, 1};
    int place, k;
    axes = 1 + (strchr(cells, ',') != NULL) + (strchr(cells, ',') != strrchr(cells, ','));
    for (k = 0; k < axes; ++k) {
        whole[k] = strtoll(cells, (char **)&cells, 10);
        parts[k] = strtoll(grid, (char **)&grid, 10);
        ++cells, ++grid;
    }
    CHECK(parts[0] * parts[1] * parts[2] == ranks);
    place = ranks - 1 - mine; /* the first rank holds the last block */
    for (k = axes - 1; k >= 0; --k) {
        const int64_t p = parts[k], i = place % p;
        place = (int)(place / p);
        origin[k] = whole[k] * i * (i + 1) / (p * (p + 1));
        shape[k] = whole[k] * (i + 1) * (i + 2) / (p * (p + 1)) - origin[k];
    }
}

static double *rho, *g;
static float *v;
static surrogate_field fields[3];

static void *room(int64_t cells, size_t size) {
    void *data = malloc((size_t)cells * size);
    CHECK(data != NULL);
    return data;
}

/* Room for the block, and its description. */
static void describe(void) {
    const int64_t ghost[3] = {GHOST, GHOST, GHOST};
    int64_t cells = 1, wide = 1, tensor[4], vector[4];
    int k;
    for (k = 0; k < axes; ++k) {
        cells *= shape[k];
        wide *= shape[k] + 2 * GHOST;
        tensor[k] = vector[k + 1] = shape[k];
    }
    vector[0] = axes;
    tensor[axes] = axes * axes;
    rho = room(wide, sizeof *rho);
    g = room(cells * axes * axes, sizeof *g);
    v = room(cells * axes, sizeof *v);
    surrogate_field_init_ghost(&fields[0], "rho", rho, SURROGATE_FLOAT64, axes, shape, ghost);
    fields[0].unit = "kg/m3";
    surrogate_field_init(&fields[1], "v", v, SURROGATE_FLOAT32, axes + 1, vector);
    fields[1].component_axis = 0;
    surrogate_field_init(&fields[2], "g", g, SURROGATE_FLOAT64, axes + 1, tensor);
    fields[2].component_axis = axes;
    for (k = 0; k < wide; ++k)
        rho[k] = -1e9; /* ghost cells must never be seen */
}

/* Values that tell frame, cell and component. */
static void fill(int frame) {
    int64_t at[3] = {0, 0, 0}, extent[3] = {1, 1, 1}, first[3] = {0, 0, 0};
    int64_t cells, cell = 0;
    int k, c;
    memcpy(extent, shape, (size_t)axes * sizeof *shape);
    memcpy(first, origin, (size_t)axes * sizeof *origin);
    cells = extent[0] * extent[1] * extent[2];
    for (at[0] = 0; at[0] < extent[0]; ++at[0])
        for (at[1] = 0; at[1] < extent[1]; ++at[1])
            for (at[2] = 0; at[2] < extent[2]; ++at[2], ++cell) {
                double value = frame;
                char *place = fields[0].data;
                for (k = 0; k < axes; ++k) {
                    value = 1024 * value + (double)(first[k] + at[k]);
                    place += at[k] * fields[0].strides[k];
                }
                value += 0.1; /* rounded where float32 is stored */
                *(double *)place = value;
                for (c = 0; c < axes; ++c)
                    v[c * cells + cell] = (float)(value * (c + 1));
                for (c = 0; c < axes * axes; ++c)
                    g[cell * axes * axes + c] = value + 1000 * c;
            }
}

static surrogate_recorder_options options_of(const char *precision, const char *compression) {
    static const char *const names[2] = {"gamma", "viscosity"};
    static const double values[2] = {1.4, 1e-3};
    surrogate_recorder_options options;
    surrogate_recorder_options_init(&options, sizeof options);
    options.name = "blocks";
    options.description = "on any number of ranks";
    options.time_unit = "s";
    options.length_unit = "m";
    options.spacing[0] = 0.5;
    options.origin[0] = 10;
    options.boundary[0] = SURROGATE_BOUNDARY_PERIODIC;
    options.parameter_names = names;
    options.parameter_values = values;
    options.parameter_count = 2;
    options.trajectory = 3;
    options.seed = 42;
    options.precision = atoi(precision);
    options.compression = atoi(compression);
    options.chunk[0] = options.compression ? 3 : 0;
    return options;
}

/* Most memory that this process has held, in KiB. */
static long peak(void) {
    char line[256];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        sscanf(line, "VmHWM: %ld", &kib);
    if (status)
        fclose(status);
    return kib;
}

static void tell(const char *call, int status) {
    printf("%s rank %d %s %s\n", call, mine, surrogate_status_name(status),
           status == SURROGATE_OK ? "" : surrogate_last_error());
    fflush(stdout);
}

static void record_alone(const char *path, const surrogate_recorder_options *options) {
    surrogate_recorder *recorder = NULL;
    int frame;
    CHECK_STATUS(surrogate_recorder_open(&recorder, path, options), SURROGATE_OK, "");
    for (frame = 0; frame < frames; ++frame) {
        fill(frame);
        CHECK_STATUS(surrogate_recorder_write(recorder, 0.5 * frame, fields, 3), SURROGATE_OK, "");
    }
    CHECK_STATUS(surrogate_recorder_close(recorder), SURROGATE_OK, "");
}

static void record_together(const char *path, const surrogate_recorder_options *options, double deadline, int watched) {
    surrogate_mpi_recorder *recorder = NULL;
    long before;
    int frame, status = surrogate_mpi_recorder_open(&recorder, MPI_COMM_WORLD, path, options, deadline);
    tell("open", status);
    fill(0);
    MPI_Barrier(MPI_COMM_WORLD);
    before = peak();
    for (frame = 0; status == SURROGATE_OK && frame < frames; ++frame) {
        fill(frame);
        status = surrogate_mpi_recorder_write(recorder, 0.5 * frame, fields, 3, origin, whole);
        if (status != SURROGATE_OK || !watched)
            tell("write", status);
        else if (mine == 0) {
            printf("stored %d\n", frame);
            fflush(stdout);
        }
    }
    if (status == SURROGATE_ERROR_TIMEOUT)
        tell("again", surrogate_mpi_recorder_write(recorder, 0.5 * frame, fields, 3, origin, whole));
    tell("close", surrogate_mpi_recorder_close(recorder));
    printf("grew by %ld KiB\n", peak() - before);
    fflush(stdout);
}

int main(int argc, char **argv) {
    surrogate_recorder_options options;
    int serial;
    if (argc < 8)
        return 2;
    serial = strcmp(argv[1], "serial") == 0;
    if (!serial) {
        MPI_Init(&argc, &argv);
        MPI_Comm_size(MPI_COMM_WORLD, &ranks);
        MPI_Comm_rank(MPI_COMM_WORLD, &mine);
        printf("process of rank %d: %d\n", mine, (int)getpid());
        fflush(stdout);
    }
    options = options_of(argv[5], argv[6]);
    frames = atoi(argv[7]);
    cut(argv[3], argv[4]);
    describe();
    if (serial)
        record_alone(argv[2], &options);
    else
        record_together(argv[2], &options, argc > 8 ? atof(argv[8]) : 0, strcmp(argv[1], "watched") == 0);
    free(rho);
    free(v);
    free(g);
    if (!serial)
        MPI_Finalize();
    return finish();
}
