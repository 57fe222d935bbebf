/* What a communicator of size 1 costs over surrogate_predict: blocks of calls of both, in turns. */
#include <stdio.h>
#include <stdlib.h>
#include <surrogate/surrogate_mpi.h>

#include "measurements.h"

typedef struct {
    surrogate_mpi_model *tiles;
    surrogate_model *serial;
    surrogate_step_options step;
    surrogate_field input, output;
    float *values; /* input, then output */
} pair;

static int call(pair *p, int tiles) {
    return tiles ? surrogate_mpi_predict(p->tiles, &p->output, &p->input, 1, &p->step)
                 : surrogate_predict(p->serial, &p->output, &p->input, 1, &p->step);
}

/* Microseconds a call; negative after an error. */
static double time_block(pair *p, int tiles, int calls) {
    double seconds = -MPI_Wtime();
    for (int k = 0; k < calls; k++)
        if (call(p, tiles))
            return -1;
    return 1e6 * (seconds + MPI_Wtime()) / calls;
}

static int pair_open(pair *p, const char *bundle, int64_t cells) {
    const int64_t shape[2] = {cells, cells};
    surrogate_open_options open;
    surrogate_mpi_options options;
    surrogate_open_options_init(&open, sizeof open);
    surrogate_mpi_options_init(&options, sizeof options);
    open.threads = 1;
    options.mode = SURROGATE_MPI_TILES;
    *p = (pair){.values = calloc(2 * (size_t)(cells * cells), sizeof(float))};
    if (!p->values || surrogate_open(&p->serial, bundle, &open) ||
        surrogate_mpi_open(&p->tiles, MPI_COMM_SELF, bundle, &open, &options))
        return -1;
    surrogate_step_options_init(&p->step, sizeof p->step);
    p->step.global_shape[0] = p->step.global_shape[1] = cells;
    surrogate_field_init(&p->input, NULL, p->values, SURROGATE_FLOAT32, 2, shape);
    surrogate_field_init(&p->output, NULL, p->values + cells * cells, SURROGATE_FLOAT32, 2, shape);
    return 0;
}

int measure_overhead(char **argv) {
    const int blocks = atoi(argv[2]), calls = atoi(argv[3]);
    pair p;
    int bad = pair_open(&p, argv[0], atoll(argv[1]));
    for (int k = -1; k < blocks && !bad; k++) {
        double first = time_block(&p, k & 1, calls), second = time_block(&p, !(k & 1), calls);
        bad = first < 0 || second < 0;
        if (k < 0 || bad) /* warm-up */
            continue;
        printf("%s[%.4f, %.4f]", k ? ", " : "{\"serial_tiles_us\": [", k & 1 ? second : first, k & 1 ? first : second);
    }
    if (bad)
        fprintf(stderr, "scaling: overhead of %s: %s\n", argv[0], surrogate_last_error());
    else
        printf("]}\n");
    surrogate_mpi_close(p.tiles);
    surrogate_close(p.serial);
    free(p.values);
    return bad ? 2 : 0;
}
