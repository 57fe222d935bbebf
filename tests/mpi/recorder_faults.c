/* What the parallel recorder refuses: the same status on every rank, nothing left behind, and the next good frame is
 * stored. Argument: an empty folder. Every rank checks; the exit code is the number of ranks that found something. */
#define _XOPEN_SOURCE 700
#include "check.h"
#include "paths.h"

#include <surrogate/surrogate_mpi.h>

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 3, NX = 8 }; /* of a rank's block: the domain is cut along y */

static int ranks, mine;
static const char *folder;
static double u[2 * ROWS][NX];
static float w[2 * ROWS][NX];
static surrogate_field fields[2];
static int64_t origin[2], whole[2];

static const char *in_folder(const char *name) {
    return path_in(folder, name);
}

static int there(const char *name) {
    struct stat found;
    return stat(in_folder(name), &found) == 0;
}

static void describe(void) {
    const int64_t shape[2] = {ROWS, NX};
    origin[0] = mine * ROWS;
    origin[1] = 0;
    whole[0] = ranks * ROWS;
    whole[1] = NX;
    surrogate_field_init(&fields[0], "u", u, SURROGATE_FLOAT64, 2, shape);
    surrogate_field_init(&fields[1], "w", w, SURROGATE_FLOAT32, 2, shape);
    fields[0].unit = "m/s";
}

static surrogate_mpi_recorder *begin(const char *name, double deadline) {
    surrogate_mpi_recorder *recorder = NULL;
    if (!CHECK_STATUS(surrogate_mpi_recorder_open(&recorder, MPI_COMM_WORLD, in_folder(name), NULL, deadline),
                      SURROGATE_OK, ""))
        exit(1);
    return recorder;
}

static int add(surrogate_mpi_recorder *recorder, double time) {
    return surrogate_mpi_recorder_write(recorder, time, fields, 2, origin, whole);
}

/* The last rank does something else than the others, then all try again. */
#define ALL_REFUSE(fault, expected, part)                                                                              \
    do {                                                                                                               \
        describe();                                                                                                    \
        if (mine == ranks - 1) {                                                                                       \
            fault;                                                                                                     \
        }                                                                                                              \
        CHECK_STATUS(add(recorder, time), expected, part);                                                             \
        time = good;                                                                                                   \
    } while (0)

static void disagreements_are_statuses_that_name_them(void) {
    surrogate_mpi_recorder *recorder = begin("disagree.h5", 20);
    double good = 1, time = good;
    describe();
    CHECK_STATUS(add(recorder, 0), SURROGATE_OK, "");
    ALL_REFUSE(time = 2, SURROGATE_ERROR_ARGUMENT, "time");
    ALL_REFUSE(whole[0] += 1, SURROGATE_ERROR_ARGUMENT, "global_shape[0]");
    ALL_REFUSE(fields[1].name = "v", SURROGATE_ERROR_ARGUMENT, "names");
    ALL_REFUSE(fields[0].unit = NULL, SURROGATE_ERROR_ARGUMENT, "units");
    ALL_REFUSE(fields[0] = fields[1]; fields[0].name = "u"; fields[0].unit = "m/s", SURROGATE_ERROR_ARGUMENT, "dtypes");
    ALL_REFUSE(origin[0] = 0, SURROGATE_ERROR_SHAPE, "overlap");
    ALL_REFUSE(origin[0] -= 1, SURROGATE_ERROR_SHAPE, "overlap");
    ALL_REFUSE(fields[0].shape[0] = fields[1].shape[0] = ROWS - 1, SURROGATE_ERROR_SHAPE, "belong to no rank");
    ALL_REFUSE(origin[0] += 1, SURROGATE_ERROR_SHAPE, "inside the domain");
    ALL_REFUSE(origin[1] = INT64_MAX, SURROGATE_ERROR_SHAPE, "inside the domain");
    ALL_REFUSE(origin[1] = -1, SURROGATE_ERROR_SHAPE, "inside the domain");
    ALL_REFUSE(whole[0] = INT64_MAX, SURROGATE_ERROR_SHAPE, "2^56");
    ALL_REFUSE(fields[1].shape[1] = NX - 1, SURROGATE_ERROR_SHAPE, "different spatial shapes");
    ALL_REFUSE(fields[1].batch_axis = 0, SURROGATE_ERROR_UNSUPPORTED, "batch axis");
    ALL_REFUSE(fields[1].memory = SURROGATE_CUDA, SURROGATE_ERROR_UNSUPPORTED, "host");
    ALL_REFUSE(fields[0].data = NULL, SURROGATE_ERROR_ARGUMENT, "data is NULL");
    ALL_REFUSE(fields[0].name = NULL, SURROGATE_ERROR_FIELD, "no name");
    good = time = NAN;
    ALL_REFUSE((void)0, SURROGATE_ERROR_ARGUMENT, "nan");
    good = time = 0;
    ALL_REFUSE((void)0, SURROGATE_ERROR_ARGUMENT, "later");
    describe();
    CHECK_STATUS(surrogate_mpi_recorder_write(recorder, 1, fields, 2, NULL, whole), SURROGATE_ERROR_ARGUMENT, "origin");
    CHECK_STATUS(surrogate_mpi_recorder_write(recorder, 1, fields, 2, origin, mine ? whole : NULL),
                 SURROGATE_ERROR_ARGUMENT, "global_shape");
    CHECK_STATUS(surrogate_mpi_recorder_write(recorder, 1, mine ? fields : NULL, 2, origin, whole),
                 SURROGATE_ERROR_ARGUMENT, "fields is NULL");
    CHECK_STATUS(surrogate_mpi_recorder_write(recorder, 1, fields, 1, origin, whole), SURROGATE_ERROR_FIELD,
                 "expected 2 as in the first frame");
    fields[0].name = "w", fields[1].name = "u";
    CHECK_STATUS(add(recorder, 1), SURROGATE_ERROR_FIELD, "as in the first frame");
    describe();
    CHECK(!there("disagree.h5.frames/1.h5") && !there("disagree.h5.frames/1.h5.partial"));
    CHECK_STATUS(add(recorder, 1), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_mpi_recorder_close(recorder), SURROGATE_OK, "");
    CHECK(!there("disagree.h5.frames"));
}

/* Ranks may swap their blocks between frames. */
static void another_decomposition_is_taken(void) {
    surrogate_mpi_recorder *recorder = begin("moved.h5", 20);
    describe();
    CHECK_STATUS(add(recorder, 0), SURROGATE_OK, "");
    origin[0] = (ranks - 1 - mine) * ROWS;
    CHECK_STATUS(add(recorder, 1), SURROGATE_OK, "");
    whole[0] += 1;
    fields[0].shape[0] = fields[1].shape[0] = ROWS + (mine == 0); /* the last block has a row more */
    CHECK_STATUS(add(recorder, 2), SURROGATE_ERROR_SHAPE, "as in the first frame");
    CHECK_STATUS(surrogate_mpi_recorder_close(recorder), SURROGATE_OK, "");
}

static void arguments_of_open_are_agreed_on(void) {
    surrogate_mpi_recorder *recorder = (surrogate_mpi_recorder *)1, **place = mine ? &recorder : NULL;
    surrogate_recorder_options options;
    surrogate_recorder_options_init(&options, sizeof options);
    CHECK_STATUS(surrogate_mpi_recorder_open(place, MPI_COMM_WORLD, in_folder("a.h5"), NULL, 20),
                 SURROGATE_ERROR_ARGUMENT, "recorder is NULL");
    CHECK(place == NULL || recorder == NULL);
    CHECK_STATUS(surrogate_mpi_recorder_open(&recorder, MPI_COMM_WORLD, mine ? NULL : in_folder("a.h5"), NULL, 20),
                 SURROGATE_ERROR_ARGUMENT, "path is NULL");
    CHECK_STATUS(surrogate_mpi_recorder_open(&recorder, MPI_COMM_WORLD, in_folder(mine ? "b.h5" : "a.h5"), NULL, 20),
                 SURROGATE_ERROR_ARGUMENT, "path");
    CHECK_STATUS(surrogate_mpi_recorder_open(&recorder, MPI_COMM_NULL, in_folder("a.h5"), NULL, 20),
                 SURROGATE_ERROR_ARGUMENT, "MPI_COMM_NULL");
    options.precision = mine ? SURROGATE_FLOAT32 : SURROGATE_FLOAT64;
    CHECK_STATUS(surrogate_mpi_recorder_open(&recorder, MPI_COMM_WORLD, in_folder("a.h5"), &options, 20),
                 SURROGATE_ERROR_ARGUMENT, "options.precision");
    options.precision = 7;
    CHECK_STATUS(surrogate_mpi_recorder_open(&recorder, MPI_COMM_WORLD, in_folder("a.h5"), &options, 20),
                 SURROGATE_ERROR_ARGUMENT, "options.precision 7");
    options.struct_size = mine ? sizeof options : 0;
    CHECK_STATUS(surrogate_mpi_recorder_open(&recorder, MPI_COMM_WORLD, in_folder("a.h5"), &options, 20),
                 SURROGATE_ERROR_ARGUMENT, "surrogate_recorder_options_init");
    CHECK_STATUS(surrogate_mpi_recorder_open(&recorder, MPI_COMM_WORLD, in_folder("no/a.h5"), NULL, 20),
                 SURROGATE_ERROR_WRITE, "no/a.h5");
    CHECK(recorder == NULL && !there("a.h5") && !there("a.h5.frames"));
    recorder = begin("empty.h5", 20);
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK_STATUS(surrogate_mpi_recorder_close(recorder), SURROGATE_OK, "");
    CHECK(!there("empty.h5") && !there("empty.h5.frames"));
    describe();
    CHECK_STATUS(add(recorder, 0), SURROGATE_ERROR_ARGUMENT, "closed already");
    CHECK_STATUS(surrogate_mpi_recorder_close(recorder), SURROGATE_ERROR_ARGUMENT, "closed already");
    CHECK_STATUS(surrogate_mpi_recorder_close(NULL), SURROGATE_OK, "");
    CHECK_STATUS(add(NULL, 0), SURROGATE_ERROR_ARGUMENT, "recorder is NULL");
}

static void limit_files_to(rlim_t bytes) {
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* Take all but one descriptor from a rank, or give them back. */
static int taken[4096], taken_count = 0;
static void no_files_left(int none) {
    if (none)
        while (taken_count < 4096 && (taken[taken_count] = open("/dev/null", O_RDONLY)) >= 0)
            ++taken_count;
    else
        while (taken_count > 0)
            close(taken[--taken_count]);
}

/* A file that may not grow stands for a full disk, on the rank that lays out (0) or on the last node's leader. */
static void a_leader_that_cannot_write_is_a_status(const char *name, int leader) {
    surrogate_mpi_recorder *recorder = begin(name, 20);
    char frames[512];
    snprintf(frames, sizeof frames, "%s.frames/1.h5", name);
    describe();
    signal(SIGXFSZ, SIG_IGN);
    CHECK_STATUS(add(recorder, 0), SURROGATE_OK, "");
    if (mine == leader)
        limit_files_to(1000);
    CHECK_STATUS(add(recorder, 1), SURROGATE_ERROR_WRITE, "the frame is not stored, the earlier ones are");
    limit_files_to(RLIM_INFINITY);
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK(!there(frames) && there(name));
    strcat(frames, ".partial");
    CHECK(!there(frames));
    CHECK_STATUS(add(recorder, 1), SURROGATE_OK, "");
    if (mine == leader && leader > 0) {
        struct rlimit limit;
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_cur < 4096 ? limit.rlim_cur : 4096;
        setrlimit(RLIMIT_NOFILE, &limit);
        no_files_left(1);
    }
    CHECK_STATUS(add(recorder, 2), leader > 0 ? SURROGATE_ERROR_WRITE : SURROGATE_OK, "cannot open");
    no_files_left(0);
    if (mine == 0)
        limit_files_to(1000);
    CHECK_STATUS(surrogate_mpi_recorder_close(recorder), SURROGATE_ERROR_WRITE, "frames stay readable");
    limit_files_to(RLIM_INFINITY);
    CHECK(there(name));
}

/* A communicator of one rank: what a surrogate_recorder takes, batches and no origin included. */
static void one_rank_alone_is_a_serial_recorder(void) {
    surrogate_mpi_recorder *recorder = NULL;
    const int64_t shape[3] = {2, ROWS, NX}, at[2] = {0, 0}, elsewhere[2] = {1, 0};
    char name[64];
    snprintf(name, sizeof name, "alone%d.h5", mine);
    CHECK_STATUS(surrogate_mpi_recorder_open(&recorder, MPI_COMM_SELF, in_folder(name), NULL, 20), SURROGATE_OK, "");
    surrogate_field_init(&fields[0], "u", u, SURROGATE_FLOAT64, 3, shape);
    fields[0].batch_axis = 0;
    CHECK_STATUS(surrogate_mpi_recorder_write(recorder, 0, fields, 1, NULL, NULL), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_mpi_recorder_write(recorder, 0, fields, 1, NULL, NULL), SURROGATE_ERROR_ARGUMENT, "later");
    CHECK_STATUS(surrogate_mpi_recorder_close(recorder), SURROGATE_OK, "");
    CHECK(there(name));
    snprintf(name, sizeof name, "single%d.h5", mine);
    CHECK_STATUS(surrogate_mpi_recorder_open(&recorder, MPI_COMM_SELF, in_folder(name), NULL, 20), SURROGATE_OK, "");
    surrogate_field_init(&fields[0], "u", u, SURROGATE_FLOAT64, 2, shape + 1);
    CHECK_STATUS(surrogate_mpi_recorder_write(recorder, 0, fields, 1, elsewhere, shape + 1), SURROGATE_ERROR_SHAPE,
                 "inside the domain");
    CHECK_STATUS(surrogate_mpi_recorder_write(recorder, 0, fields, 1, at, shape), SURROGATE_ERROR_SHAPE,
                 "inside the domain");
    CHECK_STATUS(surrogate_mpi_recorder_write(recorder, 0, fields, 1, at, shape + 1), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_mpi_recorder_close(recorder), SURROGATE_OK, "");
    CHECK(there(name));
}

/* After MPI_Finalize: a status, and what was recorded is joined all the same. */
static void an_ended_mpi_is_a_status(surrogate_mpi_recorder *recorder) {
    surrogate_mpi_recorder *none = NULL;
    describe();
    CHECK_STATUS(surrogate_mpi_recorder_open(&none, MPI_COMM_WORLD, in_folder("a.h5"), NULL, 20),
                 SURROGATE_ERROR_ARGUMENT, "finalised");
    CHECK_STATUS(add(recorder, 1), SURROGATE_ERROR_ARGUMENT, "finalised");
    CHECK_STATUS(surrogate_mpi_recorder_close(recorder), SURROGATE_ERROR_ARGUMENT, "finalised");
    CHECK(mine || there("ended.h5"));
}

int main(int argc, char **argv) {
    int all = 0;
    surrogate_mpi_recorder *last;
    if (argc < 3)
        return 2;
    folder = argv[1];
    MPI_Init(&argc, &argv);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    MPI_Comm_rank(MPI_COMM_WORLD, &mine);
    arguments_of_open_are_agreed_on();
    disagreements_are_statuses_that_name_them();
    another_decomposition_is_taken();
    a_leader_that_cannot_write_is_a_status("full0.h5", 0);
    if (atoi(argv[2]) > 0)
        a_leader_that_cannot_write_is_a_status("fullN.h5", atoi(argv[2]));
    one_rank_alone_is_a_serial_recorder();
    last = begin("ended.h5", 20);
    describe();
    CHECK_STATUS(add(last, 0), SURROGATE_OK, "");
    MPI_Allreduce(&failures, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    failures = 0;
    an_ended_mpi_is_a_status(last);
    return all + failures != 0;
}
