#include "state.h"

#include <stdio.h>
#include <stdlib.h>

int state_read(state *s, const char *path, int64_t channels, int64_t ny, int64_t nx) {
    const size_t count = (size_t)(channels * ny * nx);
    *s = (state){channels, ny, nx, malloc(count * sizeof *s->values)};
    FILE *file = fopen(path, "rb");
    size_t got = file && s->values ? fread(s->values, sizeof *s->values, count, file) : 0;
    if (file)
        fclose(file);
    if (got == count)
        return 0;
    fprintf(stderr, "scaling: %s: read %zu doubles, expected %zu\n", path, got, count);
    return -1;
}

static int64_t first_cell(int64_t cells, int blocks, int index) {
    return cells * index / blocks;
}

block block_of(int64_t ny, int64_t nx, int rank, int size) {
    int dims[2] = {0, 0};
    MPI_Dims_create(size, 2, dims);
    const int at[2] = {rank / dims[1], rank % dims[1]};
    const int64_t cells[2] = {ny, nx};
    block b = {.ny = ny, .nx = nx};
    for (int k = 0; k < 2; k++) {
        b.origin[k] = first_cell(cells[k], dims[k], at[k]);
        b.shape[k] = first_cell(cells[k], dims[k], at[k] + 1) - b.origin[k];
    }
    return b;
}

void state_fill(const state *s, const block *b, double *values) {
    for (int64_t c = 0; c < s->channels; c++)
        for (int64_t j = 0; j < b->shape[0]; j++) {
            const double *row = s->values + (c * s->ny + (b->origin[0] + j) % s->ny) * s->nx;
            for (int64_t i = 0; i < b->shape[1]; i++)
                *values++ = row[(b->origin[1] + i) % s->nx];
        }
}
