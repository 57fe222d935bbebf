// Eight threads, each with a model of its own that it opens, calls whole and in two halves, and closes, and all with
// one that they share.
#include "check.h"

#include <thread>
#include <vector>

/// The fields of the bundle "flow" in one array: rho, v of two components, mask, p.
static void describe(surrogate_field (&fields)[4], double *values) {
    static const std::int64_t components[4] = {1, 2, 1, 1};
    for (int f = 0; f < 4; ++f) {
        const std::int64_t shape[3] = {components[f], 16, 16};
        surrogate_field_init(&fields[f], nullptr, values, SURROGATE_FLOAT64, 3, shape);
        fields[f].component_axis = 0;
        values += components[f] * 256;
    }
}

static void work(surrogate_model *shared, int index, int *bad) {
    surrogate_model *own = open_bundle("flow");
    const std::int64_t shape[3] = {5, 16, 16};
    std::vector<double> now(5 * 256), next(now.size()), halved(now.size()), first;
    for (std::size_t i = 0; i < now.size(); ++i)
        now[i] = 0.001 * static_cast<double>(i) + index;
    for (int call = 0; call < 200; ++call) {
        surrogate_model *model = call % 2 ? own : shared;
        const bool reject = call % 5 == 4;
        std::vector<double> input = now;
        if (reject)
            input[static_cast<std::size_t>(index)] = 1e308 * 10;
        const int status =
            surrogate_predict_array(model, next.data(), input.data(), SURROGATE_FLOAT64, 3, shape, nullptr);
        surrogate_field in[4], out[4]; // the same in two halves, on the model that is this thread's alone
        if (call % 4 == 1) {
            describe(in, input.data());
            describe(out, halved.data());
            const int begun = surrogate_predict_begin(own, out, in, 4, nullptr);
            int done = 0;
            while (begun == SURROGATE_OK && !done && surrogate_predict_test(own, &done) == SURROGATE_OK)
                std::this_thread::yield();
            const int waited = begun == SURROGATE_OK ? surrogate_predict_wait(own) : begun;
            *bad += waited != status || (!reject && halved != next);
        }
        char text[64];
        std::snprintf(text, sizeof text, "cell [0, %d]", index); // the thread's own text
        if (reject)
            *bad += status != SURROGATE_REJECTED || !std::strstr(surrogate_last_error(), text);
        else if (first.empty())
            first = next;
        else
            *bad += status != SURROGATE_OK || first != next;
        surrogate_statistics statistics;
        surrogate_rejection rejection;
        statistics.struct_size = sizeof statistics;
        rejection.struct_size = sizeof rejection;
        *bad += surrogate_get_statistics(shared, &statistics) != SURROGATE_OK || statistics.calls > 800;
        *bad += surrogate_last_rejection(shared, &rejection) != SURROGATE_OK || rejection.call > statistics.calls + 800;
    }
    surrogate_close(own);
}

/// Calls of several numbers of steps on one model, each loaded by whichever thread comes first.
static void draw(surrogate_model *shared, int index, const std::vector<double> *expected, int *bad) {
    const std::int64_t shape[3] = {1, 16, 16};
    std::vector<double> now(256, 0.5), next(now.size());
    surrogate_step_options step;
    surrogate_step_options_init(&step, sizeof step);
    step.step = 3;
    for (int call = 0; call < 100; ++call) {
        const int which = (call + index) % 2;
        step.steps = which ? 4 : 1;
        *bad += surrogate_predict_array(shared, next.data(), now.data(), SURROGATE_FLOAT64, 3, shape, &step) !=
                    SURROGATE_OK ||
                next != expected[which];
    }
}

static void steps_of_one_model_do_not_mix() {
    const std::int64_t shape[3] = {1, 16, 16};
    std::vector<double> now(256, 0.5), expected[2];
    for (int which = 0; which < 2; ++which) {
        surrogate_model *alone = open_bundle("sampler");
        surrogate_step_options step;
        surrogate_step_options_init(&step, sizeof step);
        step.step = 3;
        step.steps = which ? 4 : 1;
        expected[which].resize(now.size());
        CHECK(surrogate_predict_array(alone, expected[which].data(), now.data(), SURROGATE_FLOAT64, 3, shape, &step) ==
              SURROGATE_OK);
        surrogate_close(alone);
    }
    CHECK(expected[0] != expected[1]);
    surrogate_model *shared = open_bundle("sampler");
    int bad[8] = {};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back(draw, shared, i, expected, &bad[i]);
    for (auto &thread : threads)
        thread.join();
    for (const int count : bad)
        CHECK(count == 0);
    surrogate_close(shared);
}

int main(int argc, char **argv) {
    start(argc, argv);
    surrogate_model *shared = open_bundle("flow");
    int bad[8] = {};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back(work, shared, i, &bad[i]);
    for (auto &thread : threads)
        thread.join();
    for (const int count : bad)
        CHECK(count == 0);
    surrogate_statistics s;
    s.struct_size = sizeof s;
    surrogate_get_statistics(shared, &s);
    CHECK(s.calls == 800 && s.calls == s.ok + s.rejected && s.errors == 0);
    surrogate_close(shared);
    steps_of_one_model_do_not_mix();
    return finish();
}
