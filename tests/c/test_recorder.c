/* Recording: strides, ghost cells, dtypes and components; wrong order; what a kill and a full disk leave behind. */
#define _XOPEN_SOURCE 700
#include "check.h"
#include "paths.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NY = 6, NX = 8, GHOST = 2, WIDE = NX + 2 * GHOST, HIGH = NY + 2 * GHOST };

static char folder[] = "/tmp/surrogate-recorder-XXXXXX";

static const char *in_folder(const char *name) {
    return path_in(folder, name);
}

static int there(const char *path) {
    struct stat found;
    return stat(path, &found) == 0;
}

/* A state: rho in float64 behind ghost cells, v as (ny, nx, 2) float32 records, p in Fortran's order (a transposed
 * view). */
static double rho[HIGH][WIDE], p[NX][NY];
static float v[NY][NX][2];
static surrogate_field state[3];

static void describe(int number) {
    const int64_t shape[3] = {NY, NX, 2}, ghost[2] = {GHOST, GHOST};
    for (int j = 0; j < HIGH; ++j)
        for (int i = 0; i < WIDE; ++i)
            rho[j][i] = -1e9; /* ghost cells must never be seen */
    for (int j = 0; j < NY; ++j)
        for (int i = 0; i < NX; ++i) {
            rho[j + GHOST][i + GHOST] = number * 1000 + j * 10 + i;
            p[i][j] = 0.5 + rho[j + GHOST][i + GHOST];
            v[j][i][0] = (float)(number * 1000 + j * 10 + i);
            v[j][i][1] = -v[j][i][0];
        }
    surrogate_field_init_ghost(&state[0], "rho", rho, SURROGATE_FLOAT64, 2, shape, ghost);
    state[0].unit = "kg/m3";
    surrogate_field_init(&state[1], "v", v, SURROGATE_FLOAT32, 3, shape);
    state[1].component_axis = 2;
    surrogate_field_init(&state[2], "p", p, SURROGATE_FLOAT64, 2, shape);
    state[2].strides[0] = sizeof(double);
    state[2].strides[1] = NY * (int64_t)sizeof(double);
}

static surrogate_recorder *begin(const char *path, const surrogate_recorder_options *options) {
    surrogate_recorder *recorder = NULL;
    if (!CHECK_STATUS(surrogate_recorder_open(&recorder, path, options), SURROGATE_OK, ""))
        exit(finish());
    return recorder;
}

static void add(surrogate_recorder *recorder, int number) {
    describe(number);
    CHECK_STATUS(surrogate_recorder_write(recorder, 0.25 * number, state, 3), SURROGATE_OK, "");
}

/* Recorded with all options; tests/recorder reads it back with h5py. */
static void record(const char *path) {
    static const char *names[2] = {"gamma", "seed"}; /* one has the name of an attribute of ours */
    static const double values[2] = {1.4, 3.5};
    surrogate_recorder_options options;
    surrogate_recorder_options_init(&options, sizeof options);
    options.description = "ghosts and strides";
    options.time_unit = "s";
    options.length_unit = "m";
    options.spacing[0] = 0.5;
    options.spacing[1] = 0.25;
    options.origin[0] = 10;
    options.boundary[0] = SURROGATE_BOUNDARY_WALL;
    options.boundary[1] = SURROGATE_BOUNDARY_PERIODIC;
    options.parameter_names = names;
    options.parameter_values = values;
    options.parameter_count = 2;
    options.trajectory = 7;
    options.seed = UINT64_MAX;
    options.compression = 4;
    options.chunk[0] = 4;
    surrogate_recorder *recorder = begin(path, &options);
    CHECK(!there(path)); /* nothing before the first frame */
    for (int number = 0; number < 3; ++number) {
        add(recorder, number);
        CHECK(there(path));
    }
    CHECK_STATUS(surrogate_recorder_close(recorder), SURROGATE_OK, "");
    CHECK(there(path));
}

static void test_two_recorders_at_once(void) {
    surrogate_recorder *one = begin(in_folder("one.h5"), NULL), *two = begin(in_folder("two.h5"), NULL);
    for (int number = 0; number < 4; ++number) {
        add(one, number);
        if (number % 2)
            add(two, number);
    }
    CHECK_STATUS(surrogate_recorder_close(one), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_recorder_close(two), SURROGATE_OK, "");
    CHECK(there(in_folder("one.h5")) && there(in_folder("two.h5")));
    CHECK(!there(in_folder("one.h5.frames")) && !there(in_folder("two.h5.frames")));
}

static void test_wrong_order_and_other_kinds_are_statuses(void) {
    surrogate_recorder *recorder = begin(in_folder("wrong.h5"), NULL), *other = NULL;
    CHECK_STATUS(surrogate_recorder_open(&other, in_folder("wrong.h5"), NULL), SURROGATE_ERROR_ARGUMENT,
                 "exists already");
    CHECK(other == NULL);
    CHECK_STATUS(surrogate_recorder_write(recorder, 0.0, NULL, 3), SURROGATE_ERROR_ARGUMENT, "fields is NULL");
    add(recorder, 1);
    describe(2);
    CHECK_STATUS(surrogate_recorder_write(recorder, 0.25, state, 3), SURROGATE_ERROR_ARGUMENT, "expected a later one");
    CHECK_STATUS(surrogate_recorder_write(recorder, NAN, state, 3), SURROGATE_ERROR_ARGUMENT, "finite");
    CHECK_STATUS(surrogate_recorder_write(recorder, 1.0, state, 2), SURROGATE_ERROR_FIELD, "expected 3");
    for (int k = 0; k < 3; ++k)
        state[k].shape[0] = NY - 1;
    CHECK_STATUS(surrogate_recorder_write(recorder, 1.0, state, 3), SURROGATE_ERROR_SHAPE,
                 "[5, 8] given, expected [6, 8]");
    describe(2);
    state[0].unit = "g/cm3";
    CHECK_STATUS(surrogate_recorder_write(recorder, 1.0, state, 3), SURROGATE_ERROR_UNIT, "g/cm3");
    describe(2);
    state[0].name = "density";
    CHECK_STATUS(surrogate_recorder_write(recorder, 1.0, state, 3), SURROGATE_ERROR_FIELD, "expected 'rho'");
    describe(2);
    state[0].name = NULL;
    CHECK_STATUS(surrogate_recorder_write(recorder, 1.0, state, 3), SURROGATE_ERROR_FIELD, "no name");
    describe(2);
    state[1].memory = SURROGATE_CUDA;
    CHECK_STATUS(surrogate_recorder_write(recorder, 1.0, state, 3), SURROGATE_ERROR_UNSUPPORTED, "host");
    add(recorder, 2); /* nothing of that was stored, and the recording goes on */
    CHECK_STATUS(surrogate_recorder_close(recorder), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_recorder_write(recorder, 2.0, state, 3), SURROGATE_ERROR_ARGUMENT, "closed already");
    CHECK_STATUS(surrogate_recorder_close(recorder), SURROGATE_ERROR_ARGUMENT, "closed already");
    CHECK_STATUS(surrogate_recorder_close(NULL), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_recorder_write(NULL, 2.0, state, 3), SURROGATE_ERROR_ARGUMENT, "recorder is NULL");
}

static void test_bad_options_are_refused(void) {
    surrogate_recorder *recorder = NULL;
    surrogate_recorder_options options;
    surrogate_recorder_options_init(&options, sizeof options);
    CHECK_STATUS(surrogate_recorder_open(NULL, "x.h5", NULL), SURROGATE_ERROR_ARGUMENT, "recorder is NULL");
    CHECK_STATUS(surrogate_recorder_open(&recorder, NULL, NULL), SURROGATE_ERROR_ARGUMENT, "path is NULL");
    CHECK_STATUS(surrogate_recorder_open(&recorder, in_folder("no/such/x.h5"), NULL), SURROGATE_ERROR_WRITE, "no/such");
    options.compression = 10;
    CHECK_STATUS(surrogate_recorder_open(&recorder, in_folder("x.h5"), &options), SURROGATE_ERROR_ARGUMENT, "0 to 9");
    options.compression = 0;
    options.parameter_count = 1;
    CHECK_STATUS(surrogate_recorder_open(&recorder, in_folder("x.h5"), &options), SURROGATE_ERROR_ARGUMENT, "NULL");
    CHECK(recorder == NULL);
    recorder = begin(in_folder("empty.h5"), NULL); /* a recording without frames leaves nothing */
    CHECK_STATUS(surrogate_recorder_close(recorder), SURROGATE_OK, "");
    CHECK(!there(in_folder("empty.h5")) && !there(in_folder("empty.h5.frames")));
}

static void limit_files_to(rlim_t bytes) {
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* A file that may not grow stands for a full disk: the frame is refused, the earlier ones stay, the next may pass. */
static void test_a_full_disk_is_a_status(void) {
    signal(SIGXFSZ, SIG_IGN);
    surrogate_recorder *recorder = begin(in_folder("full.h5"), NULL);
    limit_files_to(1000);
    describe(0);
    CHECK_STATUS(surrogate_recorder_write(recorder, 0.0, state, 3), SURROGATE_ERROR_WRITE, "File too large");
    CHECK(!there(in_folder("full.h5")) && !there(in_folder("full.h5.frames/0.h5")));
    CHECK(!there(in_folder("full.h5.frames/0.h5.partial")));
    limit_files_to(RLIM_INFINITY);
    add(recorder, 0);
    add(recorder, 1);
    limit_files_to(1000);
    describe(2);
    CHECK_STATUS(surrogate_recorder_write(recorder, 0.5, state, 3), SURROGATE_ERROR_WRITE, "the earlier ones are");
    CHECK_STATUS(surrogate_recorder_close(recorder), SURROGATE_ERROR_WRITE, "all 2 frames stay readable");
    limit_files_to(RLIM_INFINITY);
    CHECK(there(in_folder("full.h5")) && there(in_folder("full.h5.frames/1.h5")));
    CHECK(!there(in_folder("full.h5.frames/joined.partial")));
}

/* Fill a frame that was laid out as several processes would: rows of two halves, by pwrite. */
static void fill(const char *path, const uint64_t *offsets) {
    static const size_t cell[3] = {sizeof(double), 2 * sizeof(float), sizeof(double)};
    const int file = open(path, O_WRONLY);
    CHECK(file >= 0);
    for (int f = 0; f < 3; ++f)
        for (int half = 0; half < 2; ++half) {
            char block[NY * NX * 8];
            const size_t row = NX / 2 * cell[f];
            surrogate_field part = state[f];
            size_t size = sizeof block;
            part.shape[1] = NX / 2;
            part.data = (char *)part.data + half * (NX / 2) * part.strides[1];
            CHECK_STATUS(surrogate_recorder_pack(block, &size, &part, part.dtype), SURROGATE_OK, "");
            CHECK(size == NY * row);
            for (int j = 0; j < NY; ++j)
                CHECK(pwrite(file, block + (size_t)j * row, row,
                             (off_t)(offsets[f] + (2 * (size_t)j + (size_t)half) * row)) == (ssize_t)row);
        }
    CHECK(close(file) == 0);
}

/* The frames 0, 1, 2 of `record`, without its options: written, or (number 1 alone, or all) laid out and filled. */
static void record_plainly(const char *path, int laid_out, int compression) {
    surrogate_recorder_options options;
    surrogate_recorder_options_init(&options, sizeof options);
    options.compression = compression;
    surrogate_recorder *recorder = begin(path, &options);
    for (int number = 0; number < 3; ++number) {
        const char *partial = NULL;
        uint64_t offsets[3];
        if (laid_out == 0 || (laid_out == 1 && number != 1)) {
            add(recorder, number);
            continue;
        }
        describe(number);
        CHECK_STATUS(surrogate_recorder_lay_out(recorder, &partial, offsets, 0.25 * number, state, 3), SURROGATE_OK,
                     "");
        fill(partial, offsets);
        CHECK_STATUS(surrogate_recorder_settle(recorder, 1), SURROGATE_OK, "");
        CHECK(there(path) && !there(partial));
    }
    CHECK_STATUS(surrogate_recorder_close(recorder), SURROGATE_OK, "");
}

static void test_a_frame_laid_out_is_none_until_it_is_kept(void) {
    surrogate_recorder *recorder = begin(in_folder("laid.h5"), NULL);
    const char *path = NULL;
    uint64_t offsets[3] = {0, 0, 0};
    describe(0);
    CHECK_STATUS(surrogate_recorder_settle(recorder, 1), SURROGATE_ERROR_ARGUMENT, "no frame is laid out");
    CHECK_STATUS(surrogate_recorder_lay_out(recorder, NULL, offsets, 0, state, 3), SURROGATE_ERROR_ARGUMENT, "path");
    CHECK_STATUS(surrogate_recorder_lay_out(recorder, &path, NULL, 0, state, 3), SURROGATE_ERROR_ARGUMENT, "offsets");
    CHECK_STATUS(surrogate_recorder_lay_out(recorder, &path, offsets, NAN, state, 3), SURROGATE_ERROR_ARGUMENT, "nan");
    CHECK(path == NULL && offsets[0] == 0);
    state[0].data = NULL;
    CHECK_STATUS(surrogate_recorder_lay_out(recorder, &path, offsets, 0, state, 3), SURROGATE_OK, "");
    CHECK(there(path) && offsets[0] > 0 && offsets[1] > 0 && offsets[2] > 0);
    CHECK(!there(in_folder("laid.h5")) && !there(in_folder("laid.h5.frames/0.h5")));
    describe(0);
    CHECK_STATUS(surrogate_recorder_write(recorder, 0, state, 3), SURROGATE_ERROR_ARGUMENT,
                 "surrogate_recorder_settle");
    CHECK_STATUS(surrogate_recorder_settle(recorder, 0), SURROGATE_OK, "");
    CHECK(!there(in_folder("laid.h5.frames/0.h5.partial")));
    CHECK(!there(in_folder("laid.h5")) && !there(in_folder("laid.h5.frames/0.h5")));
    add(recorder, 0); /* the time of a frame that was dropped is free */
    describe(1);
    CHECK_STATUS(surrogate_recorder_lay_out(recorder, &path, offsets, 0, state, 3), SURROGATE_ERROR_ARGUMENT, "later");
    CHECK_STATUS(surrogate_recorder_lay_out(recorder, &path, offsets, 1, state, 2), SURROGATE_ERROR_FIELD,
                 "expected 3");
    CHECK_STATUS(surrogate_recorder_lay_out(recorder, &path, offsets, 1, state, 3), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_recorder_close(recorder), SURROGATE_OK, ""); /* drops it */
    CHECK(there(in_folder("laid.h5")) && !there(in_folder("laid.h5.frames")));
}

static void test_a_full_disk_is_found_before_others_write(void) {
    surrogate_recorder *recorder = begin(in_folder("narrow.h5"), NULL);
    const char *path = NULL;
    uint64_t offsets[3];
    describe(0);
    limit_files_to(1000);
    CHECK_STATUS(surrogate_recorder_lay_out(recorder, &path, offsets, 0, state, 3), SURROGATE_ERROR_WRITE,
                 "File too large");
    CHECK(!there(in_folder("narrow.h5.frames/0.h5.partial")));
    limit_files_to(RLIM_INFINITY);
    CHECK_STATUS(surrogate_recorder_lay_out(recorder, &path, offsets, 0, state, 3), SURROGATE_OK, "");
    limit_files_to(1000);
    CHECK_STATUS(surrogate_recorder_settle(recorder, 1), SURROGATE_ERROR_WRITE,
                 "File too large"); /* no room for PATH */
    limit_files_to(RLIM_INFINITY);
    CHECK(!there(in_folder("narrow.h5.frames/0.h5")) && !there(in_folder("narrow.h5.frames/0.h5.partial")));
    add(recorder, 0);
    CHECK_STATUS(surrogate_recorder_close(recorder), SURROGATE_OK, "");
}

/* Write frames until killed; the parent reads one byte for each write that returned. */
static void write_until_killed(const char *path, int frames) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    const pid_t child = fork();
    if (child == 0) {
        surrogate_recorder *recorder = begin(path, NULL);
        for (int number = 0;; ++number) {
            add(recorder, number);
            if (write(ends[1], ".", 1) != 1)
                _exit(1);
        }
    }
    char byte;
    for (int number = 0; number < frames; ++number)
        CHECK(read(ends[0], &byte, 1) == 1);
    kill(child, SIGKILL);
    int how = 0;
    waitpid(child, &how, 0);
    CHECK(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "record") == 0)
        record(argv[2]);
    else if (argc == 5 && strcmp(argv[1], "plainly") == 0)
        record_plainly(argv[2], atoi(argv[3]), atoi(argv[4]));
    else if (argc == 4 && strcmp(argv[1], "kill") == 0)
        write_until_killed(argv[2], atoi(argv[3]));
    else {
        CHECK(mkdtemp(folder) != NULL);
        test_two_recorders_at_once();
        test_wrong_order_and_other_kinds_are_statuses();
        test_bad_options_are_refused();
        test_a_full_disk_is_a_status();
        test_a_frame_laid_out_is_none_until_it_is_kept();
        test_a_full_disk_is_found_before_others_write();
        char command[4200];
        snprintf(command, sizeof command, "rm -r %s", folder);
        CHECK(system(command) == 0);
    }
    return finish();
}
