/* A small solver with a surrogate in its loop: two tracers, periodic, upwind advection and centred diffusion.
 * Usage: advection_diffusion_c BUNDLE OUTPUT.bin [JUMPS].  The same in C++, Fortran and Python stands beside it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <surrogate/surrogate.h>

enum { NX = 64, NY = 32 };
typedef double array[NY + 2][NX + 2]; /* one ghost cell on each side */
static const double dt = 1.0 / 128, cx = 0.25, cy = 0.125, diffusion = 1.0 / 64;

static void initialise(array c, array q) {
    for (int j = 1; j <= NY; j++)
        for (int i = 1; i <= NX; i++) {
            double x = (i - 0.5) / NX, y = (j - 0.5) / NY;
            c[j][i] = 16 * x * (1 - x) * y * (1 - y);
            q[j][i] = i <= NX / 2 ? 1 : 0;
        }
}

static void solver_step(array u) {
    static array old;
    for (int j = 1; j <= NY; j++)
        u[j][0] = u[j][NX], u[j][NX + 1] = u[j][1];
    for (int i = 0; i <= NX + 1; i++)
        u[0][i] = u[NY][i], u[NY + 1][i] = u[1][i];
    memcpy(old, u, sizeof old);
    for (int j = 1; j <= NY; j++)
        for (int i = 1; i <= NX; i++) {
            double o = old[j][i], w = old[j][i - 1], e = old[j][i + 1], s = old[j - 1][i], n = old[j + 1][i];
            u[j][i] = o - cx * (o - w) - cy * (o - s) + diffusion * ((w + e) + (s + n) - 4 * o);
        }
}

static int fail(void) {
    fprintf(stderr, "%s\n", surrogate_last_error());
    return 1;
}

int main(int argc, char **argv) {
    static array c, q;
    int64_t interior[] = {NY, NX}, ghost[] = {1, 1};
    surrogate_field state[2];
    surrogate_open_options options;
    surrogate_info info = {.struct_size = sizeof info};
    surrogate_model *model;
    int jumps = argc > 3 ? atoi(argv[3]) : 4, accepted = 0, rejected = 0;
    if (argc < 3)
        return fprintf(stderr, "usage: %s BUNDLE OUTPUT.bin [JUMPS]\n", argv[0]), 2;

    surrogate_open_options_init(&options, sizeof options);
    options.threads = 1;
    if (surrogate_open(&model, argv[1], &options) < 0 || surrogate_get_info(model, &info) < 0)
        return fail();
    surrogate_field_init_ghost(&state[0], "c", c, SURROGATE_FLOAT64, 2, interior, ghost);
    surrogate_field_init_ghost(&state[1], "q", q, SURROGATE_FLOAT64, 2, interior, ghost);

    initialise(c, q);
    while (accepted + rejected < jumps) {
        switch (surrogate_predict(model, state, state, 2, NULL)) { /* in place: written only if OK */
        case SURROGATE_OK:
            accepted++;
            break;
        case SURROGATE_REJECTED: /* the solver steps itself */
            for (int k = 0; k < (int)(info.time_step / dt + 0.5); k++)
                solver_step(c), solver_step(q);
            rejected++;
            break;
        default:
            return fail();
        }
    }
    surrogate_close(model);

    printf("accepted %d, rejected %d, time %8.3f\n", accepted, rejected, jumps * info.time_step);
    FILE *file = fopen(argv[2], "wb");
    if (!file)
        return perror(argv[2]), 1;
    for (int j = 1; j <= NY; j++)
        fwrite(&c[j][1], sizeof(double), NX, file);
    for (int j = 1; j <= NY; j++)
        fwrite(&q[j][1], sizeof(double), NX, file);
    return fclose(file) != 0;
}
