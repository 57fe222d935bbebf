/* Models that read several frames, newest first. */
#include "check.h"

enum { N = 4, CELLS = N * N };

/* The bundle "history", 3 frames of u and w: u' = u + u(one step before), w' = w + w(two steps before). */
static void frames_are_read_newest_first(surrogate_model *m) {
    const int64_t shape[2] = {N, N};
    double state[3][2][CELLS], next[2][CELLS];
    surrogate_field in[6], out[2];
    int k, f, i;
    for (k = 0; k < 3; ++k)
        for (f = 0; f < 2; ++f) {
            surrogate_field_init(&in[2 * k + f], f ? "w" : "u", state[k][f], SURROGATE_FLOAT64, 2, shape);
            for (i = 0; i < CELLS; ++i)
                state[k][f][i] = 100 * k + 10 * f + i;
        }
    surrogate_field_init(&out[0], "u", next[0], SURROGATE_FLOAT64, 2, shape);
    surrogate_field_init(&out[1], "w", next[1], SURROGATE_FLOAT64, 2, shape);
    CHECK_STATUS(surrogate_predict(m, out, in, 2, NULL), SURROGATE_OK, "");
    CHECK(next[0][3] == 3 + 103 && next[1][3] == 13 + 213);

    out[0].data = state[2][0]; /* over the oldest frame */
    out[1].data = state[2][1];
    CHECK_STATUS(surrogate_predict(m, out, in, 2, NULL), SURROGATE_OK, "");
    CHECK(memcmp(state[2], next, sizeof next) == 0);
    out[0].data = state[2][1];
    out[1].data = state[2][0];
    CHECK_STATUS(surrogate_predict(m, out, in, 2, NULL), SURROGATE_ERROR_OVERLAP, "shares memory with input field");
    out[0].data = next[0];
    out[1].data = next[1];

    memset(state[1][0], 0xff, sizeof(double)); /* NaN */
    CHECK_STATUS(surrogate_predict(m, out, in, 2, NULL), SURROGATE_REJECTED,
                 "input field 'u' is not finite at cell [0, 0] of the frame 1 before the newest");
    state[1][0][0] = 1;
    in[2].shape[0] = in[3].shape[0] = 2;
    CHECK_STATUS(surrogate_predict(m, out, in, 2, NULL), SURROGATE_ERROR_SHAPE, "input frame 1: grid [2, 4]");
}

static void one_array_is_not_enough(surrogate_model *m) {
    const int64_t shape[3] = {2, N, N};
    float u[2 * CELLS] = {0};
    CHECK_STATUS(surrogate_predict_array(m, u, u, SURROGATE_FLOAT32, 3, shape, NULL), SURROGATE_ERROR_UNSUPPORTED,
                 "the model reads 3 frames");
}

int main(int argc, char **argv) {
    surrogate_model *m;
    surrogate_info info;
    start(argc, argv);
    m = open_bundle("history");
    info.struct_size = sizeof info;
    CHECK_STATUS(surrogate_get_info(m, &info), SURROGATE_OK, "");
    CHECK(info.history == 3);
    frames_are_read_newest_first(m);
    one_array_is_not_enough(m);
    surrogate_close(m);
    return finish();
}
