/* mpi_parity CASES ANSWERS: predictions of many models, modes and decompositions in one job, so that each rank loads
 * its engine once. parity.py writes CASES, one line each, and compares the frames:
 *
 *   BUNDLE MODE INPUT OUTPUT DTYPE RANKS THREADS N0 N1 N2 T0 T1 T2 [L0 L1 L2 S0 S1 S2] * RANKS
 *
 * The first RANKS ranks of the world predict in MODE ("serial": surrogate_predict on rank 0) the domain N, in tiles T
 * (0: not given); each holds the block of S cells that begins at L. Unused leading axes have N = S = 1, L = T = 0.
 * INPUT: [history][channels][N], DTYPE is float32 or float64; rank r writes its block [channels][S] to OUTPUT.r.
 * ANSWERS: a line for every case, "STATUS REASON RANK MODE TILES RECEIVED MINIMUM"; texts of errors go to stderr. */
#define _POSIX_C_SOURCE 200809L
#include <mpi.h>
#include <surrogate/surrogate_mpi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WORD = 1024, MAX_FIELDS = 32 };

typedef struct case_line {
    char bundle[WORD], mode[16], input[WORD], output[WORD], dtype[16];
    int ranks, threads;
    int64_t domain[3], tile[3], lower[3], shape[3]; /* of this rank's block */
} case_line;

/* An opened model; the one before is kept while the cases ask for the same. */
typedef struct opened {
    case_line of;
    MPI_Comm comm;
    surrogate_mpi_model *parts;
    surrogate_model *serial;
} opened;

static int world_rank;

static void die(const char *what, const char *which) {
    fprintf(stderr, "mpi_parity: rank %d: %s: %s\n", world_rank, what, which);
    exit(1);
}

static int read_numbers(FILE *file, int64_t *numbers, int count) {
    long long number;
    int k;
    for (k = 0; k < count; ++k) {
        if (fscanf(file, "%lld", &number) != 1)
            return -1;
        numbers[k] = number;
    }
    return 0;
}

/* 0 at the end of the file. */
static int read_case(FILE *file, case_line *c) {
    int64_t block[6];
    int r;
    memset(c, 0, sizeof *c);
    if (fscanf(file, "%1023s %15s %1023s %1023s %15s %d %d", c->bundle, c->mode, c->input, c->output, c->dtype,
               &c->ranks, &c->threads) != 7)
        return 0;
    if (read_numbers(file, c->domain, 3) || read_numbers(file, c->tile, 3))
        die("a case is cut short", c->bundle);
    for (r = 0; r < c->ranks; ++r) {
        if (read_numbers(file, block, 6))
            die("a block is cut short", c->bundle);
        if (r == world_rank) {
            memcpy(c->lower, block, sizeof c->lower);
            memcpy(c->shape, block + 3, sizeof c->shape);
        }
    }
    return 1;
}

/* Ranks that are in no case leave the cores to those that are. */
static void sleeping_barrier(void) {
    const struct timespec nap = {0, 500000};
    MPI_Request request;
    int done = 0;
    MPI_Ibarrier(MPI_COMM_WORLD, &request);
    for (;;) {
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        if (done)
            return;
        nanosleep(&nap, NULL);
    }
}

static int mode_of(const char *name) {
    int mode;
    for (mode = SURROGATE_MPI_AUTO; mode <= SURROGATE_MPI_BATCH; ++mode)
        if (!strcmp(surrogate_mpi_mode_name(mode), name))
            return mode;
    die("no mode", name);
    return 0;
}

static void close_model(opened *o) {
    surrogate_mpi_close(o->parts);
    surrogate_close(o->serial);
    if (o->comm != MPI_COMM_NULL)
        MPI_Comm_free(&o->comm);
    o->parts = NULL;
    o->serial = NULL;
    o->of.ranks = 0;
}

static int same_model(const case_line *a, const case_line *b) {
    return a->ranks == b->ranks && a->threads == b->threads && !strcmp(a->bundle, b->bundle) &&
           !strcmp(a->mode, b->mode) && !memcmp(a->tile, b->tile, sizeof a->tile);
}

/* Axes of the bundle's names, without opening it: tiles are given for the last ones. */
static void give_tile(surrogate_mpi_options *options, const case_line *c) {
    int k, used = 0;
    for (k = 0; k < 3; ++k)
        if (c->tile[k] > 0)
            options->tile_shape[used++] = c->tile[k];
}

/* Collective over the world. */
static void open_model(opened *o, const case_line *c) {
    surrogate_open_options open;
    surrogate_mpi_options options;
    int status = SURROGATE_OK;
    if (same_model(&o->of, c))
        return;
    close_model(o);
    sleeping_barrier();
    MPI_Comm_split(MPI_COMM_WORLD, world_rank < c->ranks ? 0 : MPI_UNDEFINED, world_rank, &o->comm);
    surrogate_open_options_init(&open, sizeof open);
    surrogate_mpi_options_init(&options, sizeof options);
    open.threads = c->threads;
    options.deadline = 60;
    if (!strcmp(c->mode, "serial")) {
        if (world_rank == 0)
            status = surrogate_open(&o->serial, c->bundle, &open);
    } else {
        options.mode = mode_of(c->mode);
        options.reader = c->ranks - 1;
        give_tile(&options, c);
        if (o->comm != MPI_COMM_NULL)
            status = surrogate_mpi_open(&o->parts, o->comm, c->bundle, &open, &options);
    }
    if (status)
        die(c->bundle, surrogate_last_error());
    o->of = *c;
}

static void *read_block(const case_line *c, int64_t channels, size_t size) {
    const int64_t *n = c->domain, *low = c->lower, *s = c->shape;
    const size_t row = (size_t)s[2] * size;
    char *block = malloc((size_t)(channels * s[0] * s[1]) * row), *to = block;
    FILE *file = fopen(c->input, "rb");
    int64_t channel, z, y;
    if (!block || !file)
        die("cannot read", c->input);
    for (channel = 0; channel < channels; ++channel)
        for (z = low[0]; z < low[0] + s[0]; ++z)
            for (y = low[1]; y < low[1] + s[1]; ++y, to += row)
                if (fseek(file, (long)(((((channel * n[0] + z) * n[1] + y) * n[2]) + low[2]) * (int64_t)size),
                          SEEK_SET) ||
                    fread(to, 1, row, file) != row)
                    die("cut short", c->input);
    fclose(file);
    return block;
}

static void write_block(const case_line *c, const void *block, size_t bytes) {
    char path[WORD + 16];
    FILE *file;
    snprintf(path, sizeof path, "%s.%d", c->output, world_rank);
    file = fopen(path, "wb");
    if (!file || fwrite(block, 1, bytes, file) != bytes || fclose(file))
        die("cannot write", path);
}

/* `frames` states of the model's fields in one dense block [frames][channels][S]. */
static void describe(surrogate_field *fields, surrogate_model *local, const surrogate_info *info, void *block,
                     const case_line *c, int dtype, int frames) {
    const size_t size = dtype == SURROGATE_FLOAT64 ? 8 : 4;
    int64_t shape[4];
    char *data = block;
    int k;
    memcpy(shape + 1, c->shape + 3 - info->spatial_rank, (size_t)info->spatial_rank * sizeof *shape);
    for (k = 0; k < frames * info->field_count; ++k) {
        surrogate_field_info field;
        field.struct_size = sizeof field;
        if (surrogate_get_field_info(local, k % info->field_count, &field))
            die("field", surrogate_last_error());
        shape[0] = field.components;
        surrogate_field_init(&fields[k], NULL, data, dtype, 1 + info->spatial_rank, shape);
        fields[k].component_axis = 0;
        data += (size_t)(field.components * c->shape[0] * c->shape[1] * c->shape[2]) * size;
    }
}

static int predict(opened *o, const case_line *c) {
    static const double parameter = 0.75;
    surrogate_model *local = o->serial ? o->serial : surrogate_mpi_local(o->parts);
    const int dtype = !strcmp(c->dtype, "float64") ? SURROGATE_FLOAT64 : SURROGATE_FLOAT32;
    const size_t size = dtype == SURROGATE_FLOAT64 ? 8 : 4;
    surrogate_field input[MAX_FIELDS], output[MAX_FIELDS];
    surrogate_step_options step;
    surrogate_info info;
    size_t bytes;
    void *now, *next;
    int status;
    info.struct_size = sizeof info;
    if (surrogate_get_info(local, &info) || info.history * info.field_count > MAX_FIELDS)
        die("info", surrogate_last_error());
    bytes = (size_t)(info.channel_count * c->shape[0] * c->shape[1] * c->shape[2]) * size;
    now = read_block(c, (int64_t)info.history * info.channel_count, size);
    next = malloc(bytes);
    if (!next)
        die("no memory", c->output);
    memcpy(next, now, bytes); /* of fields that are not predicted */
    describe(input, local, &info, now, c, dtype, info.history);
    describe(output, local, &info, next, c, dtype, 1);
    surrogate_step_options_init(&step, sizeof step);
    step.step = 7;
    step.seed = 3;
    if (info.parameter_count == 1) {
        step.parameters = &parameter;
        step.parameter_count = 1;
    }
    memcpy(step.origin, c->lower + 3 - info.spatial_rank, (size_t)info.spatial_rank * sizeof *step.origin);
    memcpy(step.global_shape, c->domain + 3 - info.spatial_rank, (size_t)info.spatial_rank * sizeof *step.origin);
    status = o->serial ? surrogate_predict(local, output, input, (size_t)info.field_count, &step)
                       : surrogate_mpi_predict(o->parts, output, input, (size_t)info.field_count, &step);
    if (status < 0)
        fprintf(stderr, "mpi_parity: rank %d: %s, %s: %s\n", world_rank, c->mode, c->output, surrogate_last_error());
    write_block(c, next, bytes);
    free(now);
    free(next);
    return status;
}

static void answer(FILE *answers, const opened *o, int status) {
    surrogate_mpi_rejection why;
    surrogate_mpi_report r;
    memset(&why, 0, sizeof why);
    memset(&r, 0, sizeof r);
    why.struct_size = sizeof why;
    r.struct_size = sizeof r;
    if (o->parts && (surrogate_mpi_last_rejection(o->parts, &why) || surrogate_mpi_get_report(o->parts, &r)))
        die("report", surrogate_last_error());
    if (o->serial) {
        surrogate_rejection own;
        own.struct_size = sizeof own;
        if (surrogate_last_rejection(o->serial, &own))
            die("rejection", surrogate_last_error());
        why.reason = own.reason;
    }
    fprintf(answers, "%s %s %d %s %lld %lld %lld\n", surrogate_status_name(status),
            status == SURROGATE_REJECTED ? surrogate_reason_name(why.reason) : "-", (int)why.rank,
            o->serial ? "serial" : surrogate_mpi_mode_name(r.mode), (long long)r.tiles, (long long)r.bytes_received,
            (long long)r.minimum_bytes);
}

int main(int argc, char **argv) {
    opened o;
    case_line c;
    FILE *cases, *answers = NULL;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &world_rank);
    if (argc != 3)
        return 2;
    memset(&o, 0, sizeof o);
    o.comm = MPI_COMM_NULL;
    cases = fopen(argv[1], "r");
    if (world_rank == 0)
        answers = fopen(argv[2], "w");
    if (!cases || (world_rank == 0 && !answers))
        die("cannot open", argv[1]);
    while (read_case(cases, &c)) {
        open_model(&o, &c);
        if (world_rank < c.ranks) {
            const int status = predict(&o, &c);
            if (world_rank == 0)
                answer(answers, &o, status);
        }
    }
    close_model(&o);
    sleeping_barrier();
    if (answers)
        fclose(answers);
    fclose(cases);
    MPI_Finalize();
    return 0;
}
