/* predict_once BUNDLE CHANNELS SIZE [BAD]: opens, predicts (u = 0, 1, 2, ... / 10), prints status and sum lines.
 * With BAD, first a call with that many channels' worth of wrong size, which must fail and leave the model usable. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <surrogate/surrogate.h>

static int predict(surrogate_model *model, int64_t channels, int64_t size) {
    const int64_t shape[3] = {channels, size, size};
    const int64_t count = channels * size * size;
    float *input = malloc((size_t)count * sizeof *input), *output = malloc((size_t)count * sizeof *output);
    for (int64_t i = 0; i < count; ++i) {
        input[i] = (float)i * 0.1f;
        output[i] = -7.0f;
    }
    const int status = surrogate_predict_array(model, output, input, SURROGATE_FLOAT32, 3, shape, NULL);
    printf("%s first %.9g last %.9g input %.9g\n", surrogate_status_name(status), (double)output[0],
           (double)output[count - 1], (double)input[count - 1]);
    if (status != SURROGATE_OK)
        printf("text %s\n", surrogate_last_error());
    free(input);
    free(output);
    return status;
}

int main(int argc, char **argv) {
    surrogate_open_options options;
    surrogate_model *model = NULL;
    surrogate_open_options_init(&options, sizeof options);
    options.threads = argc > 5 ? atoi(argv[5]) : 1;
    const int status = surrogate_open(&model, argv[1], &options);
    if (status != SURROGATE_OK) {
        printf("%s\ntext %s\n", surrogate_status_name(status), surrogate_last_error());
        return 0;
    }
    if (argc > 4)
        predict(model, atoll(argv[2]), atoll(argv[4]));
    predict(model, atoll(argv[2]), atoll(argv[3]));
    surrogate_close(model);
    return 0;
}
