/* Cases of modes, ranks and domains, in turns: each round runs every case once, so that a disturbance of the machine
 * hits them all. Ranks that are not in a case sleep meanwhile. A first round warms up. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cases.h"
#include "measurements.h"
#include "parity.h"

/* A barrier of the whole world that leaves the cores alone. */
static void sleeping_barrier(void) {
    const struct timespec nap = {0, 1000000};
    MPI_Request request;
    MPI_Ibarrier(MPI_COMM_WORLD, &request);
    for (int done = 0;;) {
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        if (done)
            return;
        nanosleep(&nap, NULL);
    }
}

/* Time one jump on the ranks of the case; the sample is complete on rank 0. */
static int sample_jump(scaling_case *c, int64_t channels, jump_sample *sample) {
    MPI_Barrier(c->comm);
    double seconds = -MPI_Wtime();
    if (case_jump(c, channels))
        return -1;
    seconds += MPI_Wtime();
    surrogate_mpi_report r = {.struct_size = sizeof r};
    if (c->model && surrogate_mpi_get_report(c->model, &r))
        return -1;
    double parts[PARTS] = {r.pack_seconds, r.exchange_seconds, r.program_seconds, r.agree_seconds, r.output_seconds};
    MPI_Reduce(&seconds, &sample->seconds, 1, MPI_DOUBLE, MPI_MAX, 0, c->comm);
    MPI_Reduce(&r.agree_seconds, &sample->least_agree, 1, MPI_DOUBLE, MPI_MIN, 0, c->comm);
    MPI_Reduce(parts, sample->mean, PARTS, MPI_DOUBLE, MPI_SUM, 0, c->comm);
    for (int k = 0; k < PARTS; k++)
        sample->mean[k] /= c->ranks;
    return 0;
}

static void print_list(const char *name, const scaling_case *c, int rounds, const double *first) {
    printf(", \"%s\": [", name);
    for (int k = 0; k < rounds; k++) /* `first` is a member of the first sample: step from sample to sample */
        printf("%s%.6g", k ? ", " : "", *(const double *)((const char *)first + (size_t)k * sizeof *c->samples));
    printf("]");
}

/* Facts of the last jump: of rank 0, bytes of the rank that receives most. Collective over c->comm. */
static int print_case(const scaling_case *c, int rounds, double difference, int rank, int last) {
    surrogate_mpi_report r = {.struct_size = sizeof r};
    if (c->model && surrogate_mpi_get_report(c->model, &r))
        return -1;
    double bytes[3] = {(double)r.bytes_received, (double)r.minimum_bytes, (double)r.bytes_sent}, most[3];
    MPI_Reduce(bytes, most, 3, MPI_DOUBLE, MPI_MAX, 0, c->comm);
    if (rank)
        return 0;
    printf("{\"case\": \"%s\", \"difference\": %.6g, \"bytes_received\": %.0f, \"minimum_bytes\": %.0f, "
           "\"bytes_sent\": %.0f, \"threads\": %d, \"tiles\": %lld, \"tile_shape\": [%lld, %lld], "
           "\"halo\": [%lld, %lld], \"block\": [%lld, %lld], \"open_seconds\": %.6g, \"open_read_seconds\": %.6g",
           c->text, difference, most[0], most[1], most[2], c->model ? r.threads : c->threads, (long long)r.tiles,
           (long long)r.tile_shape[0], (long long)r.tile_shape[1], (long long)r.halo[0], (long long)r.halo[1],
           (long long)c->block.shape[0], (long long)c->block.shape[1], c->open_seconds, r.open_read_seconds);
    print_list("seconds", c, rounds, &c->samples[1].seconds);
    for (int k = 0; k < PARTS; k++)
        print_list(PART_NAMES[k], c, rounds, &c->samples[1].mean[k]);
    print_list("least_agree", c, rounds, &c->samples[1].least_agree);
    printf("}%s\n", last ? "" : ",");
    return 0;
}

/* The difference of every case from one process; references are kept while the domain stays the same. */
static int compare(scaling_case *cases, int count, const char *bundle, const state *s, int pairs, double *difference) {
    reference r = {0};
    for (int k = 0; k < count; k++) {
        if (r.ny != cases[k].ny || r.nx != cases[k].nx) {
            reference_free(&r);
            if (reference_make(&r, bundle, s, cases[k].ny, cases[k].nx, pairs))
                return -1;
        }
        difference[k] = reference_difference(&r, &cases[k], s->channels, pairs);
    }
    reference_free(&r);
    return 0;
}

static int run_rounds(scaling_case *cases, int count, int rounds, int64_t channels) {
    for (int round = 0; round <= rounds; round++)
        for (int k = 0; k < count; k++) {
            sleeping_barrier();
            if (cases[k].comm != MPI_COMM_NULL && sample_jump(&cases[k], channels, &cases[k].samples[round]))
                return -1;
        }
    sleeping_barrier();
    return 0;
}

int measure_jumps(int argc, char **argv) {
    const char *bundle = argv[0];
    const int rounds = atoi(argv[5]), pairs = atoi(argv[6]), count = argc - 7;
    state s;
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    scaling_case *cases = calloc((size_t)count, sizeof *cases);
    double *difference = calloc((size_t)count, sizeof *difference);
    int bad = !cases || !difference || state_read(&s, argv[1], atoll(argv[2]), atoll(argv[3]), atoll(argv[4]));
    for (int k = 0; k < count && !bad; k++)
        bad = case_open(&cases[k], argv[7 + k], bundle, &s, rounds);
    bad = bad || run_rounds(cases, count, rounds, s.channels);
    bad = bad || compare(cases, count, bundle, &s, pairs, difference);
    if (bad)
        return 2;
    if (rank == 0)
        printf("{\"cases\": [\n");
    for (int k = 0; k < count; k++)
        if (cases[k].comm != MPI_COMM_NULL && print_case(&cases[k], rounds, difference[k], rank, k == count - 1))
            return 2;
    if (rank == 0)
        printf("]}\n");
    for (int k = 0; k < count; k++)
        case_close(&cases[k]);
    free(cases);
    free(difference);
    free(s.values);
    return 0;
}
