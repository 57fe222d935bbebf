/* mpi_bad_input SCENE FOLDER BUNDLE [DEADLINE]: ranks that misuse a model, or use several at once. What each call
 * returned stands in FOLDER/RANK, a line "STATUS|seconds|text" each; the file gets its name when it is complete. Scenes
 * after which MPI_Finalize would wait for ever stay until they are killed. */
#define _POSIX_C_SOURCE 200809L
#include "domain.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

static const domain whole = {2, {24, 40, 1}};
static const char *folder, *path;
static double deadline = 20;
static int rank, size, last;
static FILE *said;

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int say(int status, double began) {
    const char *text = status == SURROGATE_OK ? "" : surrogate_last_error();
    fprintf(said, "%s|%.3f|%s\n", surrogate_status_name(status), seconds() - began, text);
    return status;
}

#define SAY(call)                                                                                                      \
    do {                                                                                                               \
        const double began = seconds();                                                                                \
        say((call), began);                                                                                            \
    } while (0)

static void open_files(void) {
    char part[4096];
    snprintf(part, sizeof part, "%s/%d.part", folder, rank);
    said = fopen(part, "w");
    if (!said)
        exit(2);
}

static void close_files(void) {
    char part[4096], name[4096];
    snprintf(part, sizeof part, "%s/%d.part", folder, rank);
    snprintf(name, sizeof name, "%s/%d", folder, rank);
    if (fclose(said) || rename(part, name))
        exit(2);
}

static void stay(void) {
    close_files();
    for (;;)
        pause();
}

static surrogate_mpi_model *open_on(MPI_Comm comm, int mode) {
    surrogate_mpi_model *m = NULL;
    surrogate_mpi_options options;
    surrogate_mpi_options_init(&options, sizeof options);
    options.mode = mode;
    options.deadline = deadline;
    if (!CHECK_STATUS(surrogate_mpi_open(&m, comm, path, NULL, &options), SURROGATE_OK, ""))
        exit(1);
    return m;
}

/* Rows of the domain that a rank of `comm` holds. */
static box rows_of(MPI_Comm comm) {
    int mine, all;
    box block = {{0, 0, 0}, {0, 40, 1}};
    MPI_Comm_rank(comm, &mine);
    MPI_Comm_size(comm, &all);
    block.lower[0] = 24 * mine / all;
    block.upper[0] = 24 * (mine + 1) / all;
    return block;
}

typedef struct job {
    surrogate_mpi_model *m;
    box block;
    state now, next;
    surrogate_step_options step;
} job;

static job prepare(surrogate_mpi_model *m, MPI_Comm comm) {
    job j;
    j.m = m;
    j.block = rows_of(comm);
    j.now = make_state(&whole, 2, &j.block, SURROGATE_FLOAT64, 0);
    j.next = make_state(NULL, 2, &j.block, SURROGATE_FLOAT64, -1);
    j.step = step_of(&whole, &j.block);
    return j;
}

static void done(job *j) {
    free(j->now.values);
    free(j->next.values);
}

static int predict(job *j) {
    return surrogate_mpi_predict(j->m, j->next.fields, j->now.fields, FIELDS, &j->step);
}

/* A call that works, with the right frame. */
static void works(surrogate_mpi_model *m, MPI_Comm comm) {
    job j = prepare(m, comm);
    state expected = serial(path, &whole, SURROGATE_FLOAT64, -1);
    CHECK_STATUS(predict(&j), SURROGATE_OK, "");
    CHECK(differences(&whole, &j.next, &expected, 0) == 0);
    free(expected.values);
    done(&j);
}

/* ------------------------------------------------------------------------------------- several communicators -- */

/* A model of the whole world and two of its halves, which predict unlike numbers of times. */
static void halves(void) {
    MPI_Comm half;
    surrogate_mpi_model *world, *own;
    int i;
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
    world = open_on(MPI_COMM_WORLD, SURROGATE_MPI_TILES);
    own = open_on(half, rank % 2 ? SURROGATE_MPI_GATHER : SURROGATE_MPI_BATCH);
    for (i = 0; i < (rank % 2 ? 3 : 1); ++i)
        works(own, half);
    works(world, MPI_COMM_WORLD);
    works(own, half);
    CHECK_STATUS(surrogate_mpi_close(own), SURROGATE_OK, "");
    MPI_Comm_free(&half);
    works(world, MPI_COMM_WORLD);
    CHECK_STATUS(surrogate_mpi_close(world), SURROGATE_OK, "");
}

/* Every rank for itself: the place in the domain need not be given. */
static void alone(void) {
    surrogate_mpi_model *m = open_on(MPI_COMM_SELF, SURROGATE_MPI_AUTO);
    job j = prepare(m, MPI_COMM_SELF);
    state expected = serial(path, &whole, SURROGATE_FLOAT64, -1);
    works(m, MPI_COMM_SELF);
    memset(j.step.global_shape, 0, sizeof j.step.global_shape);
    CHECK_STATUS(predict(&j), SURROGATE_OK, "");
    CHECK(differences(&whole, &j.next, &expected, 0) == 0);
    memcpy(j.step.global_shape, whole.shape, 2 * sizeof whole.shape[0]);
    j.step.origin[0] = 1;
    CHECK_STATUS(predict(&j), SURROGATE_ERROR_SHAPE, "");
    free(expected.values);
    done(&j);
    CHECK_STATUS(surrogate_mpi_close(m), SURROGATE_OK, "");
}

/* Ranks in the other order, some left out. The communicator may be freed while the model lives. */
static void backwards(void) {
    MPI_Comm comm;
    surrogate_mpi_model *m;
    MPI_Comm_split(MPI_COMM_WORLD, size > 2 && rank == 0 ? MPI_UNDEFINED : 1, -rank, &comm);
    if (comm == MPI_COMM_NULL)
        return;
    m = open_on(comm, SURROGATE_MPI_TILES);
    works(m, comm);
    MPI_Comm_free(&comm);
    CHECK_STATUS(surrogate_mpi_close(m), SURROGATE_OK, "");
}

static void *predict_often(void *given) {
    job *j = given;
    int i;
    for (i = 0; i < 50; ++i)
        CHECK_STATUS(predict(j), SURROGATE_OK, "");
    return NULL;
}

/* One model a thread, each on a communicator of its own. */
static void threads(void) {
    job jobs[2];
    state expected = serial(path, &whole, SURROGATE_FLOAT64, -1);
    pthread_t thread;
    int i;
    for (i = 0; i < 2; ++i)
        jobs[i] = prepare(open_on(MPI_COMM_WORLD, i ? SURROGATE_MPI_GATHER : SURROGATE_MPI_TILES), MPI_COMM_WORLD);
    pthread_create(&thread, NULL, predict_often, &jobs[1]);
    predict_often(&jobs[0]);
    pthread_join(thread, NULL);
    for (i = 0; i < 2; ++i) {
        CHECK(differences(&whole, &jobs[i].next, &expected, 0) == 0);
        CHECK_STATUS(surrogate_mpi_close(jobs[i].m), SURROGATE_OK, "");
        done(&jobs[i]);
    }
    free(expected.values);
}

/* --------------------------------------------------------------------------------------------------- misuse -- */

/* The last rank gives other fields than the rest; then all is well again. */
static void fields(void) {
    surrogate_mpi_model *m = open_on(MPI_COMM_WORLD, SURROGATE_MPI_TILES);
    job j = prepare(m, MPI_COMM_WORLD);
    const size_t count = rank == last ? FIELDS - 1 : FIELDS;
    SAY(surrogate_mpi_predict(m, j.next.fields, j.now.fields, count, &j.step));
    SAY(surrogate_mpi_predict(m, j.next.fields, j.now.fields, rank == last ? 0 : FIELDS, &j.step));
    SAY(surrogate_mpi_predict(m, rank == last ? NULL : j.next.fields, j.now.fields, FIELDS, &j.step));
    SAY(surrogate_mpi_predict(m, j.next.fields, rank == last ? NULL : j.now.fields, FIELDS, &j.step));
    if (rank == last)
        j.now.fields[0].batch_axis = 0;
    SAY(predict(&j));
    CHECK(untouched(&j.next, -1));
    done(&j);
    works(m, MPI_COMM_WORLD);
    SAY(surrogate_mpi_close(m));
}

static void finalised(void) {
    surrogate_mpi_model *m = open_on(MPI_COMM_WORLD, SURROGATE_MPI_TILES), *other = NULL;
    surrogate_mpi_report report;
    job j = prepare(m, MPI_COMM_WORLD);
    report.struct_size = sizeof report;
    MPI_Finalize();
    SAY(predict(&j));
    SAY(surrogate_mpi_open(&other, MPI_COMM_WORLD, path, NULL, NULL));
    CHECK(other == NULL);
    SAY(surrogate_mpi_get_report(m, &report));
    SAY(surrogate_mpi_close(m));
    CHECK(untouched(&j.next, -1));
    done(&j);
    close_files();
    exit(finish());
}

/* The last rank closes while the others predict; they close, or predict once more. */
static void early_close(void) {
    surrogate_mpi_model *m = open_on(MPI_COMM_WORLD, SURROGATE_MPI_TILES);
    job j = prepare(m, MPI_COMM_WORLD);
    if (rank == last) {
        SAY(surrogate_mpi_close(m));
        SAY(predict(&j));
    } else {
        SAY(predict(&j));
        SAY(predict(&j));
        SAY(surrogate_mpi_close(m));
    }
    CHECK(untouched(&j.next, -1));
    done(&j);
}

/* The same with a recorder: the frame that all wrote stays. */
static void early_end(void) {
    surrogate_mpi_recorder *recorder = NULL;
    job j = prepare(NULL, MPI_COMM_WORLD);
    char name[4096];
    snprintf(name, sizeof name, "%s/run.h5", folder);
    if (!CHECK_STATUS(surrogate_mpi_recorder_open(&recorder, MPI_COMM_WORLD, name, NULL, deadline), SURROGATE_OK, ""))
        exit(1);
    SAY(surrogate_mpi_recorder_write(recorder, 0, j.now.fields, FIELDS, j.step.origin, j.step.global_shape));
    if (rank != last)
        SAY(surrogate_mpi_recorder_write(recorder, 1, j.now.fields, FIELDS, j.step.origin, j.step.global_shape));
    SAY(surrogate_mpi_recorder_close(recorder));
    done(&j);
}

/* The last rank opens on the same communicator while the others predict. */
static void open_meanwhile(void) {
    surrogate_mpi_model *m = open_on(MPI_COMM_WORLD, SURROGATE_MPI_TILES), *second = NULL;
    surrogate_mpi_options options;
    job j = prepare(m, MPI_COMM_WORLD);
    surrogate_mpi_options_init(&options, sizeof options);
    options.deadline = deadline;
    if (rank == last)
        SAY(surrogate_mpi_open(&second, MPI_COMM_WORLD, path, NULL, &options));
    else
        SAY(predict(&j));
    CHECK(second == NULL);
    SAY(surrogate_mpi_close(m));
    stay();
}

/* Two models in turns, which half of the ranks take in the other order. */
static void crossed(void) {
    job a = prepare(open_on(MPI_COMM_WORLD, SURROGATE_MPI_TILES), MPI_COMM_WORLD);
    job b = prepare(open_on(MPI_COMM_WORLD, SURROGATE_MPI_GATHER), MPI_COMM_WORLD);
    SAY(predict(rank % 2 ? &a : &b));
    SAY(predict(rank % 2 ? &b : &a));
    SAY(surrogate_mpi_close(a.m));
    SAY(surrogate_mpi_close(b.m));
    stay();
}

/* Predict until a call fails, once more, and close. FOLDER/RANK.pid tells that it has begun. */
static void on_and_on(int mode) {
    surrogate_mpi_model *m = open_on(MPI_COMM_WORLD, mode);
    job j = prepare(m, MPI_COMM_WORLD);
    char name[4096], part[4200];
    double began;
    FILE *file;
    int status;
    snprintf(name, sizeof name, "%s/%d.pid", folder, rank);
    snprintf(part, sizeof part, "%s.part", name);
    file = fopen(part, "w");
    CHECK(predict(&j) == SURROGATE_OK && file && fprintf(file, "%ld\n", (long)getpid()) > 0 && !fclose(file) &&
          !rename(part, name));
    do {
        began = seconds();
        status = predict(&j);
    } while (status == SURROGATE_OK);
    say(status, began);
    SAY(predict(&j));
    SAY(surrogate_mpi_close(m));
    stay();
}

static void on_and_on_tiles(void) {
    on_and_on(SURROGATE_MPI_TILES);
}
static void on_and_on_gather(void) {
    on_and_on(SURROGATE_MPI_GATHER);
}
static void on_and_on_batch(void) {
    on_and_on(SURROGATE_MPI_BATCH);
}

static const struct {
    const char *name;
    void (*run)(void);
} SCENES[] = {{"halves", halves},           {"alone", alone},           {"backwards", backwards},
              {"threads", threads},         {"fields", fields},         {"finalised", finalised},
              {"early_close", early_close}, {"early_end", early_end},   {"open_meanwhile", open_meanwhile},
              {"crossed", crossed},         {"tiles", on_and_on_tiles}, {"gather", on_and_on_gather},
              {"batch", on_and_on_batch}};

int main(int argc, char **argv) {
    int threads_given;
    size_t i;
    MPI_Init_thread(&argc, &argv, argc > 1 && !strcmp(argv[1], "threads") ? MPI_THREAD_MULTIPLE : MPI_THREAD_FUNNELED,
                    &threads_given);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    last = size - 1;
    if (argc < 4)
        return 2;
    folder = argv[2];
    path = argv[3];
    if (argc > 4)
        deadline = strtod(argv[4], NULL);
    open_files();
    if (!strcmp(argv[1], "threads") && threads_given < MPI_THREAD_MULTIPLE)
        fprintf(said, "no MPI_THREAD_MULTIPLE\n");
    else
        for (i = 0; i < sizeof SCENES / sizeof *SCENES; ++i)
            if (!strcmp(SCENES[i].name, argv[1]))
                SCENES[i].run();
    close_files();
    MPI_Finalize();
    return finish();
}
