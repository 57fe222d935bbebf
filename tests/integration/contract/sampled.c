/* A generative model with its presets, and with steps, guidance and a caption.  Arguments: BUNDLE INPUT.bin OUTPUT.bin;
 * the input is double [2][NY][NX], the output five such frames: the preset's, one that is asked for, and three of a
 * rollout. */
#include <stdio.h>
#include <stdlib.h>
#include <surrogate/surrogate.h>

enum { NX = 64, NY = 32, FRAMES = 3 };
static double now[2][NY][NX], next[2][2][NY][NX], frames[FRAMES][2][NY][NX];

static void check(int status) {
    if (status == SURROGATE_OK)
        return;
    fprintf(stderr, "%s\n", surrogate_last_error());
    exit(1);
}

int main(int argc, char **argv) {
    const int64_t state[] = {2, NY, NX}, series[] = {FRAMES, NY, NX};
    surrogate_open_options options;
    surrogate_step_options step;
    surrogate_field input[2], output[2];
    surrogate_model *model;
    FILE *in = argc == 4 ? fopen(argv[2], "rb") : NULL, *out;
    if (!in || fread(now, sizeof now, 1, in) != 1 || !(out = fopen(argv[3], "wb")))
        return 2;
    fclose(in);
    surrogate_open_options_init(&options, sizeof options);
    options.threads = 1;
    options.preload = 1;
    check(surrogate_open(&model, argv[1], &options));
    surrogate_step_options_init(&step, sizeof step);
    step.step = 7;
    step.seed = 11;
    step.member = 2;
    check(surrogate_predict_array(model, next[0], now, SURROGATE_FLOAT64, 3, state, &step));
    step.steps = 4;
    step.guidance = 2.5;
    step.caption = "A red\xc3\xa9 Circle";
    check(surrogate_predict_array(model, next[1], now, SURROGATE_FLOAT64, 3, state, &step));
    for (int k = 0; k < 2; k++) {
        surrogate_field_init(&input[k], NULL, now[k], SURROGATE_FLOAT64, 2, state + 1);
        surrogate_field_init(&output[k], NULL, frames[0][k], SURROGATE_FLOAT64, 3, series);
        output[k].batch_axis = 0;
        output[k].strides[0] = sizeof now;
    }
    check(surrogate_rollout(model, NULL, output, input, 2, FRAMES, &step));
    surrogate_close(model);
    fwrite(next, sizeof next, 1, out);
    fwrite(frames, sizeof frames, 1, out);
    return fclose(out) != 0;
}
