#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const PART_NAMES[PARTS] = {"pack", "exchange", "program", "agree", "output"};

static int parse(scaling_case *c, const char *text) {
    char mode[16];
    long long ny, nx;
    int world;
    MPI_Comm_size(MPI_COMM_WORLD, &world);
    snprintf(c->text, sizeof c->text, "%s", text);
    if (sscanf(text, "%15[a-z]:%d:%lld:%lld:%d", mode, &c->ranks, &ny, &nx, &c->threads) != 5 || c->ranks > world)
        return -1;
    c->ny = ny;
    c->nx = nx;
    c->mode = -1;
    for (int m = SURROGATE_MPI_TILES; m <= SURROGATE_MPI_BATCH; m++)
        if (strcmp(mode, surrogate_mpi_mode_name(m)) == 0)
            c->mode = m;
    return c->mode < 0 && (strcmp(mode, "serial") != 0 || c->ranks != 1) ? -1 : 0;
}

static int open_model(scaling_case *c, const char *bundle) {
    surrogate_open_options open;
    surrogate_mpi_options options;
    surrogate_open_options_init(&open, sizeof open);
    surrogate_mpi_options_init(&options, sizeof options);
    open.threads = c->threads;
    options.mode = c->mode < 0 ? SURROGATE_MPI_AUTO : c->mode;
    double began = MPI_Wtime();
    int rc = c->mode < 0 ? surrogate_open(&c->serial, bundle, &open)
                         : surrogate_mpi_open(&c->model, c->comm, bundle, &open, &options);
    c->open_seconds = MPI_Wtime() - began;
    return rc;
}

int case_open(scaling_case *c, const char *text, const char *bundle, const state *s, int rounds) {
    *c = (scaling_case){.comm = MPI_COMM_NULL};
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (parse(c, text)) {
        fprintf(stderr, "scaling: case '%s', expected MODE:RANKS:NY:NX:THREADS of at most the world's ranks\n", text);
        return -1;
    }
    MPI_Comm_split(MPI_COMM_WORLD, rank < c->ranks ? 0 : MPI_UNDEFINED, rank, &c->comm);
    if (c->comm == MPI_COMM_NULL)
        return 0;
    if (open_model(c, bundle)) {
        fprintf(stderr, "scaling: %s: %s\n", text, surrogate_last_error());
        return -1;
    }
    c->block = block_of(c->ny, c->nx, rank, c->ranks);
    surrogate_step_options_init(&c->step, sizeof c->step);
    for (int k = 0; k < 2; k++)
        c->step.origin[k] = c->block.origin[k];
    c->step.global_shape[0] = c->ny;
    c->step.global_shape[1] = c->nx;
    const size_t count = (size_t)s->channels * block_cells(&c->block);
    c->input = malloc(count * sizeof(double));
    c->output = malloc(count * sizeof(double));
    c->samples = calloc((size_t)rounds + 1, sizeof *c->samples);
    if (!c->input || !c->output || !c->samples) {
        fprintf(stderr, "scaling: %s: no memory for %zu doubles\n", text, count);
        return -1;
    }
    state_fill(s, &c->block, c->input);
    return 0;
}

void case_close(scaling_case *c) {
    surrogate_mpi_close(c->model);
    surrogate_close(c->serial);
    free(c->input);
    free(c->output);
    free(c->samples);
    if (c->comm != MPI_COMM_NULL)
        MPI_Comm_free(&c->comm);
}

int case_jump(const scaling_case *c, int64_t channels) {
    const int64_t shape[3] = {channels, c->block.shape[0], c->block.shape[1]};
    int rc = c->serial
                 ? surrogate_predict_array(c->serial, c->output, c->input, SURROGATE_FLOAT64, 3, shape, &c->step)
                 : surrogate_mpi_predict_array(c->model, c->output, c->input, SURROGATE_FLOAT64, 3, shape, &c->step);
    if (rc)
        fprintf(stderr, "scaling: %s: %s: %s\n", c->text, surrogate_status_name(rc), surrogate_last_error());
    return rc ? -1 : 0;
}
