/* An ensemble and a rollout of a stochastic model.  Arguments: BUNDLE INPUT.bin OUTPUT.bin; the input is double
 * [2][NY][NX], the output mean, spread, MEMBERS members and STEPS frames, each [2][NY][NX]. */
#include <stdio.h>
#include <stdlib.h>
#include <surrogate/surrogate.h>

enum { NX = 64, NY = 32, MEMBERS = 4, STEPS = 3 };
static double now[2][NY][NX], mean[2][NY][NX], spread[2][NY][NX], members[MEMBERS][2][NY][NX], frames[STEPS][2][NY][NX];

static void check(int status) {
    if (status == SURROGATE_OK)
        return;
    fprintf(stderr, "%s\n", surrogate_last_error());
    exit(1);
}

/* The fields of one state, or of `count` states one after the other. */
static void describe(surrogate_field *fields, double *first, int64_t count) {
    const int64_t shape[] = {count, NY, NX};
    const char *names[] = {"c", "q"};
    for (int k = 0; k < 2; k++) {
        double *data = first + k * NY * NX;
        if (count == 0) {
            surrogate_field_init(&fields[k], names[k], data, SURROGATE_FLOAT64, 2, shape + 1);
            continue;
        }
        surrogate_field_init(&fields[k], names[k], data, SURROGATE_FLOAT64, 3, shape);
        fields[k].batch_axis = 0;
        fields[k].strides[0] = sizeof now;
    }
}

int main(int argc, char **argv) {
    surrogate_open_options options;
    surrogate_step_options step;
    surrogate_model *model;
    surrogate_field input[2], output[2], deviation[2];
    FILE *in = argc == 4 ? fopen(argv[2], "rb") : NULL, *out;
    if (!in || fread(now, sizeof now, 1, in) != 1 || !(out = fopen(argv[3], "wb")))
        return 2;
    fclose(in);
    surrogate_open_options_init(&options, sizeof options);
    options.threads = 1;
    check(surrogate_open(&model, argv[1], &options));
    surrogate_step_options_init(&step, sizeof step);
    step.step = 7;
    step.seed = 11;
    step.member = 2;
    step.members = MEMBERS;
    describe(input, now[0][0], 0);
    describe(output, mean[0][0], 0);
    describe(deviation, spread[0][0], 0);
    check(surrogate_predict_ensemble(model, output, deviation, input, 2, &step));
    describe(output, members[0][0][0], MEMBERS);
    check(surrogate_predict_members(model, output, input, 2, &step));
    describe(output, frames[0][0][0], STEPS);
    check(surrogate_rollout(model, NULL, output, input, 2, STEPS, &step));
    surrogate_close(model);
    fwrite(mean, sizeof mean, 1, out);
    fwrite(spread, sizeof spread, 1, out);
    fwrite(members, sizeof members, 1, out);
    fwrite(frames, sizeof frames, 1, out);
    return fclose(out) != 0;
}
