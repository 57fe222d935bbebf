/* One input through every form of a predict call.  Arguments: BUNDLE INPUT.bin OUTPUT.bin; the input is double
 * [2][NY][NX], the output the results of all forms: 4 in double, then 2 in float, each [2][NY][NX]. */
#include <stdio.h>
#include <stdlib.h>
#include <surrogate/surrogate.h>

enum { NX = 64, NY = 32, G = 2 };
static double now[2][NY][NX], dense[2][NY][NX], ghosted[2][NY + 2 * G][NX + 2 * G], records[NY][NX][2],
    wide[2][3 * NY][2 * NX];
static float now32[2][NY][NX], dense32[2][NY][NX], ghosted32[2][NY + 2 * G][NX + 2 * G];
static FILE *out;

static void check(int status) {
    if (status == SURROGATE_OK)
        return;
    fprintf(stderr, "%s\n", surrogate_last_error());
    exit(1);
}

int main(int argc, char **argv) {
    const int64_t plane[] = {NY, NX}, ghost[] = {G, G}, whole[] = {2, NY, NX};
    const char *names[] = {"c", "q"};
    surrogate_open_options options;
    surrogate_model *model;
    surrogate_field f[2];
    FILE *in = argc == 4 ? fopen(argv[2], "rb") : NULL;
    if (!in || fread(now, sizeof now, 1, in) != 1 || !(out = fopen(argv[3], "wb")))
        return 2;
    fclose(in);
    surrogate_open_options_init(&options, sizeof options);
    options.threads = 1;
    check(surrogate_open(&model, argv[1], &options));
    for (int k = 0; k < 2; k++)
        for (int j = 0; j < NY; j++)
            for (int i = 0; i < NX; i++) {
                ghosted[k][j + G][i + G] = records[j][i][k] = wide[k][3 * j][2 * i] = now[k][j][i];
                ghosted32[k][j + G][i + G] = now32[k][j][i] = (float)now[k][j][i];
            }

    /* dense, the short form */
    check(surrogate_predict_array(model, dense, now, SURROGATE_FLOAT64, 3, whole, NULL));
    fwrite(dense, sizeof dense, 1, out);
    /* named fields with ghost cells */
    for (int k = 0; k < 2; k++)
        surrogate_field_init_ghost(&f[k], names[k], ghosted[k], SURROGATE_FLOAT64, 2, plane, ghost);
    check(surrogate_predict(model, f, f, 2, NULL));
    for (int k = 0; k < 2; k++)
        for (int j = 0; j < NY; j++)
            fwrite(&ghosted[k][j + G][G], sizeof(double), NX, out);
    /* members of a record */
    for (int k = 0; k < 2; k++) {
        surrogate_field_init(&f[k], names[k], &records[0][0][k], SURROGATE_FLOAT64, 2, plane);
        f[k].strides[0] = sizeof records[0], f[k].strides[1] = sizeof records[0][0];
    }
    check(surrogate_predict(model, f, f, 2, NULL));
    for (int k = 0; k < 2; k++)
        for (int j = 0; j < NY; j++)
            for (int i = 0; i < NX; i++)
                fwrite(&records[j][i][k], sizeof(double), 1, out);
    /* every third row and second column */
    for (int k = 0; k < 2; k++) {
        surrogate_field_init(&f[k], names[k], wide[k], SURROGATE_FLOAT64, 2, plane);
        f[k].strides[0] = 3 * sizeof wide[0][0], f[k].strides[1] = 2 * sizeof(double);
    }
    check(surrogate_predict(model, f, f, 2, NULL));
    for (int k = 0; k < 2; k++)
        for (int j = 0; j < NY; j++)
            for (int i = 0; i < NX; i++)
                fwrite(&wide[k][3 * j][2 * i], sizeof(double), 1, out);
    /* single precision, dense and with ghost cells */
    check(surrogate_predict_array(model, dense32, now32, SURROGATE_FLOAT32, 3, whole, NULL));
    fwrite(dense32, sizeof dense32, 1, out);
    for (int k = 0; k < 2; k++)
        surrogate_field_init_ghost(&f[k], names[k], ghosted32[k], SURROGATE_FLOAT32, 2, plane, ghost);
    check(surrogate_predict(model, f, f, 2, NULL));
    for (int k = 0; k < 2; k++)
        for (int j = 0; j < NY; j++)
            fwrite(&ghosted32[k][j + G][G], sizeof(float), NX, out);
    surrogate_close(model);
    return fclose(out) != 0;
}
