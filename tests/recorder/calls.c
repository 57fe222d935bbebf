/* Calls recorded from C in every way: in place, in two halves whose descriptions are gone by the end, decided by sums,
 * a rollout to every frame and one in place; and one in parts, which is not recorded.  Arguments: the bundle (u,
 * read-only w, parameter nu, a noise input, a history of 2 frames), the recording. */
#include <surrogate/surrogate.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NY = 4, NX = 6, CELLS = NY * NX, STEPS = 3 };

static double now[2][CELLS], before[2][CELLS], next[2][CELLS], frames[2][STEPS][CELLS];

static void want(int status, const char *what) {
    if (status == SURROGATE_OK)
        return;
    printf("%s: %s\n", what, surrogate_last_error());
    exit(1);
}

static void fill(void) {
    for (int f = 0; f < 2; ++f)
        for (int i = 0; i < CELLS; ++i) {
            now[f][i] = 0.125 * ((7 * i + 3 * f) % 11) - 0.5;
            before[f][i] = now[f][i] - 0.0625 * (i % 5);
        }
}

static void describe(surrogate_field *fields, double (*u)[CELLS]) {
    const int64_t shape[2] = {NY, NX};
    surrogate_field_init(&fields[0], "u", u[0], SURROGATE_FLOAT64, 2, shape);
    surrogate_field_init(&fields[1], "w", u[1], SURROGATE_FLOAT64, 2, shape);
}

/* Everything that a call was told lies in memory that is overwritten before the call ends. */
static void begin(surrogate_model *model, surrogate_step_options step) {
    surrogate_field input[4], output[2];
    double parameters[1] = {0.75};
    describe(input, now);
    describe(input + 2, before);
    describe(output, next);
    step.parameters = parameters;
    step.parameter_count = 1;
    want(surrogate_predict_begin(model, output, input, 2, &step), "begin");
    memset(input, 0xff, sizeof input);
    memset(output, 0xff, sizeof output);
    parameters[0] = 1e30;
}

int main(int argc, char **argv) {
    surrogate_model *model = NULL;
    surrogate_open_options options;
    surrogate_step_options step;
    surrogate_statistics counters;
    surrogate_field input[4], output[2];
    if (argc < 3)
        return 2;
    surrogate_open_options_init(&options, sizeof options);
    options.record_calls = argv[2];
    options.guards = "{\"bounds\": {\"u\": {\"upper\": 0.75}}, \"policy\": {\"bounds\": \"clip\"}}";
    want(surrogate_open(&model, argv[1], &options), "open");
    surrogate_step_options_init(&step, sizeof step);
    step.step = 5;
    step.seed = 3;
    step.member = 2;
    step.origin[0] = 4; /* one tile of a domain */
    step.global_shape[0] = 8;
    step.time = 1.5;
    describe(input, now);
    describe(input + 2, before);

    fill();
    describe(output, now);
    want(surrogate_predict(model, output, input, 2, &step), "predict in place");

    fill();
    begin(model, step);
    want(surrogate_predict_wait(model), "wait");

    fill();
    begin(model, step);
    surrogate_info info;
    info.struct_size = sizeof info;
    want(surrogate_get_info(model, &info), "info");
    double *sums = malloc((size_t)info.partial_count * sizeof *sums);
    want(surrogate_predict_partials(model, sums, (size_t)info.partial_count), "partials");
    want(surrogate_predict_finish(model, sums, (size_t)info.partial_count), "finish");

    const int64_t shape[3] = {STEPS, NY, NX};
    int64_t completed = 0;
    fill();
    for (int f = 0; f < 2; ++f) {
        surrogate_field_init(&output[f], f ? "w" : "u", frames[f], SURROGATE_FLOAT64, 3, shape);
        output[f].batch_axis = 0;
    }
    want(surrogate_rollout(model, &completed, output, input, 2, STEPS, &step), "rollout");
    fill();
    describe(output, now);
    want(surrogate_rollout(model, &completed, output, input, 2, STEPS, &step), "rollout in place");

    fill();
    float packed[4 * CELLS];
    const float *increments;
    const int64_t tile[2] = {NY, NX};
    want(surrogate_parts_begin(model, packed, output, input, 2, &step), "parts begin");
    want(surrogate_parts_run(model, &increments, packed, 1, tile, NULL, &step), "parts run");
    want(surrogate_parts_partials(model, increments, sums, (size_t)info.partial_count, NULL), "parts partials");
    want(surrogate_predict_finish(model, NULL, 0), "parts finish");
    free(sums);

    counters.struct_size = sizeof counters;
    want(surrogate_get_statistics(model, &counters), "statistics");
    printf("%d calls, %d record errors\n", (int)counters.ok, (int)counters.record_errors);
    surrogate_close(model);
    return 0;
}
