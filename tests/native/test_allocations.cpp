// After the first call of a shape, a prediction allocates nothing, accepted or rejected.
#include "check.h"

#include <atomic>
#include <cstdint>
#include <limits>
#include <new>
#include <vector>

static std::atomic<long> allocations{0};

// Replaced for the whole process, libsurrogate and the stub engine included.
void *operator new(std::size_t size) {
    ++allocations;
    if (void *data = std::malloc(size ? size : 1))
        return data;
    throw std::bad_alloc();
}
void *operator new(std::size_t size, std::align_val_t alignment) {
    ++allocations;
    const auto a = static_cast<std::size_t>(alignment);
    if (void *data = std::aligned_alloc(a, (size + a - 1) / a * a))
        return data;
    throw std::bad_alloc();
}
void operator delete(void *data) noexcept {
    std::free(data);
}
void operator delete(void *data, std::size_t) noexcept {
    std::free(data);
}
void operator delete(void *data, std::align_val_t) noexcept {
    std::free(data);
}
void operator delete(void *data, std::size_t, std::align_val_t) noexcept {
    std::free(data);
}

/// Allocations of ten calls after one of the same shape.
static long after_warm_up(surrogate_model *model, int dtype, int expected, bool spoil) {
    const std::int64_t shape[3] = {5, 16, 16};
    std::vector<double> now(5 * 256, 0.25), next(now.size());
    if (spoil) {
        const double nan = std::numeric_limits<double>::quiet_NaN();
        now[100] = nan;
        std::memset(&now[50], 0xff, 8);
    }
    long before = 0;
    for (int call = 0; call < 11; ++call) {
        if (call == 1)
            before = allocations;
        const int status = surrogate_predict_array(model, next.data(), now.data(), dtype, 3, shape, nullptr);
        if (status != expected)
            ++failures;
    }
    return allocations - before;
}

/// The same of the calls that predict several frames, and of begin and wait.
static long series_after_warm_up(surrogate_model *model) {
    constexpr std::int64_t MEMBERS = 4, CELLS = 256;
    const std::int64_t shape[3] = {MEMBERS, 16, 16};
    std::vector<double> now(2 * CELLS, 0.25), mean(now.size()), spread(now.size()), all(MEMBERS * now.size());
    surrogate_field in[2], means[2], spreads[2], every[2];
    for (int k = 0; k < 2; ++k) {
        surrogate_field_init(&in[k], nullptr, &now[k * CELLS], SURROGATE_FLOAT64, 2, shape + 1);
        surrogate_field_init(&means[k], nullptr, &mean[k * CELLS], SURROGATE_FLOAT64, 2, shape + 1);
        surrogate_field_init(&spreads[k], nullptr, &spread[k * CELLS], SURROGATE_FLOAT64, 2, shape + 1);
        surrogate_field_init(&every[k], nullptr, &all[k * MEMBERS * CELLS], SURROGATE_FLOAT64, 3, shape);
        every[k].batch_axis = 0;
    }
    surrogate_step_options step;
    surrogate_step_options_init(&step, sizeof step);
    step.step = 1;
    step.members = MEMBERS;
    long before = 0;
    for (int call = 0; call < 11; ++call) {
        if (call == 1)
            before = allocations;
        failures += surrogate_predict_ensemble(model, means, spreads, in, 2, &step) != SURROGATE_OK;
        failures += surrogate_predict_members(model, every, in, 2, &step) != SURROGATE_OK;
        failures += surrogate_rollout(model, nullptr, every, in, 2, MEMBERS, &step) != SURROGATE_OK;
        failures += surrogate_predict_begin(model, means, in, 2, &step) != SURROGATE_OK;
        failures += surrogate_predict_wait(model) != SURROGATE_OK;
    }
    return allocations - before;
}

/// The same of a generative model whose calls go from one number of steps to another, with guidance and a caption.
static long sampled_after_warm_up(surrogate_model *model) {
    const std::int64_t shape[3] = {1, 16, 16};
    std::vector<double> now(256, 0.25), next(now.size());
    surrogate_step_options step;
    surrogate_step_options_init(&step, sizeof step);
    step.step = 1;
    long before = 0;
    for (int call = 0; call < 12; ++call) {
        if (call == 2)
            before = allocations;
        step.steps = call % 2 ? 4 : 1;
        step.guidance = 0.25 * call;
        step.caption = call % 3 ? "A Red circle" : "unheardof-and-longer-than-any-word-that-is-known";
        failures +=
            surrogate_predict_array(model, next.data(), now.data(), SURROGATE_FLOAT64, 3, shape, &step) != SURROGATE_OK;
    }
    return allocations - before;
}

/// The same of a prediction in parts, whose frame is refused every second time.
static long parts_after_warm_up(surrogate_model *model) {
    constexpr std::size_t CELLS = 256;
    const std::int64_t shape[2] = {16, 16}, origins[4] = {-3, 5, 8, 40};
    std::vector<double> now(2 * CELLS, 0.25), next(now.size()), sums(256);
    static float packed[4 * CELLS]; // two tiles
    surrogate_field in[2], out[2];
    for (std::size_t k = 0; k < 2; ++k) {
        surrogate_field_init(&in[k], nullptr, &now[k * CELLS], SURROGATE_FLOAT64, 2, shape);
        surrogate_field_init(&out[k], nullptr, &next[k * CELLS], SURROGATE_FLOAT64, 2, shape);
    }
    surrogate_step_options step;
    surrogate_step_options_init(&step, sizeof step);
    step.step = 1;
    surrogate_info info;
    info.struct_size = sizeof info;
    surrogate_get_info(model, &info);
    const auto count = static_cast<std::size_t>(info.partial_count);
    long before = 0;
    for (int call = 0; call < 12; ++call) {
        if (call == 2)
            before = allocations;
        surrogate_rejection own;
        own.struct_size = sizeof own;
        const float *increments = nullptr;
        const int expected = call % 2 ? SURROGATE_REJECTED : SURROGATE_OK;
        failures += surrogate_parts_begin(model, packed, out, in, 2, &step) != SURROGATE_OK;
        failures += surrogate_parts_run(model, &increments, packed, 2, shape, origins, &step) != SURROGATE_OK;
        if (expected == SURROGATE_REJECTED) {
            packed[7] = std::numeric_limits<float>::infinity();
            increments = packed;
        }
        failures += surrogate_parts_partials(model, increments, sums.data(), count, &own) != SURROGATE_OK;
        failures += surrogate_predict_finish(model, sums.data(), count) != expected;
    }
    return allocations - before;
}

int main(int argc, char **argv) {
    start(argc, argv);
    surrogate_model *model = open_bundle("flow");
    CHECK(allocations > 0); // the counter sees the library
    CHECK(after_warm_up(model, SURROGATE_FLOAT64, SURROGATE_OK, false) == 0);
    CHECK(after_warm_up(model, SURROGATE_FLOAT32, SURROGATE_OK, false) == 0);
    CHECK(after_warm_up(model, SURROGATE_FLOAT64, SURROGATE_REJECTED, true) == 0);
    surrogate_statistics s;
    s.struct_size = sizeof s;
    surrogate_get_statistics(model, &s);
    CHECK(s.allocations == 1 && s.input_copies == 33);
    surrogate_close(model);
    model = open_bundle("noisy");
    CHECK(series_after_warm_up(model) == 0);
    CHECK(parts_after_warm_up(model) == 0);
    surrogate_close(model);
    model = open_bundle("sampler");
    CHECK(sampled_after_warm_up(model) == 0);
    surrogate_close(model);
    return finish();
}
