/* The state that is jumped from: a file of doubles [channels][ny][nx], repeated over any domain, in blocks. */
#ifndef SCALING_STATE_H
#define SCALING_STATE_H

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t channels, ny, nx;
    double *values;
} state;

/* A rank's block of a domain of (ny, nx) cells. */
typedef struct {
    int64_t ny, nx, origin[2], shape[2];
} block;

/* Read `path`, which holds exactly these values; -1 with a text on stderr. */
int state_read(state *s, const char *path, int64_t channels, int64_t ny, int64_t nx);

/* Blocks of `size` ranks: MPI_Dims_create's, as even as may be. */
block block_of(int64_t ny, int64_t nx, int rank, int size);

static inline size_t block_cells(const block *b) {
    return (size_t)(b->shape[0] * b->shape[1]);
}

/* values[channels][shape of b] of the domain that repeats the state. */
void state_fill(const state *s, const block *b, double *values);

#endif
