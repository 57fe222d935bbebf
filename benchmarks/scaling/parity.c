#include "parity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int predict_whole(reference *r, const char *bundle, const state *s, double *input) {
    const int64_t shape[3] = {s->channels, r->ny, r->nx};
    surrogate_open_options open;
    surrogate_open_options_init(&open, sizeof open);
    open.threads = 1;
    surrogate_model *model;
    int rc = surrogate_open(&model, bundle, &open);
    if (!rc)
        rc = surrogate_predict_array(model, r->frame, input, SURROGATE_FLOAT64, 3, shape, NULL);
    if (rc)
        fprintf(stderr, "scaling: the reference of %s: %s\n", bundle, surrogate_last_error());
    surrogate_close(model);
    return rc ? -1 : 0;
}

int reference_make(reference *r, const char *bundle, const state *s, int64_t ny, int64_t nx, int pairs) {
    const block whole = block_of(ny, nx, 0, 1);
    const size_t cells = block_cells(&whole), count = (size_t)s->channels * cells;
    const size_t leading = pairs ? count / 2 : count;
    *r = (reference){ny, nx, malloc(count * sizeof(double)), 0.0};
    double *input = malloc(count * sizeof(double));
    int rank, bad = !r->frame || !input;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (!bad && rank == 0) {
        state_fill(s, &whole, input);
        bad = predict_whole(r, bundle, s, input);
        for (size_t k = 0; k < leading && !bad; k++)
            r->increment = fmax(r->increment, fabs(r->frame[k] - input[k]));
    }
    free(input);
    MPI_Bcast(&bad, 1, MPI_INT, 0, MPI_COMM_WORLD);
    if (bad)
        return -1;
    MPI_Bcast(r->frame, (int)count, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    MPI_Bcast(&r->increment, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    return 0;
}

void reference_free(reference *r) {
    free(r->frame);
}

double reference_difference(const reference *r, const scaling_case *c, int64_t channels, int pairs) {
    if (c->comm == MPI_COMM_NULL)
        return -1;
    const block *b = &c->block;
    const size_t cells = block_cells(b), whole = (size_t)(r->ny * r->nx);
    const int64_t leading = pairs ? channels / 2 : channels;
    double worst = 0, all;
    for (int64_t k = 0; k < leading; k++)
        for (int64_t j = 0; j < b->shape[0]; j++)
            for (int64_t i = 0; i < b->shape[1]; i++) {
                const size_t own = (size_t)k * cells + (size_t)(j * b->shape[1] + i);
                const size_t at = (size_t)k * whole + (size_t)((b->origin[0] + j) * r->nx + b->origin[1] + i);
                double difference = c->output[own] - r->frame[at];
                if (pairs)
                    difference += c->output[own + (size_t)leading * cells] - r->frame[at + (size_t)leading * whole];
                worst = fmax(worst, isnan(difference) ? INFINITY : fabs(difference));
            }
    MPI_Allreduce(&worst, &all, 1, MPI_DOUBLE, MPI_MAX, c->comm);
    return all / r->increment;
}
