// overhead BUNDLE PROGRAM BLOCKS CALLS: surrogate_predict against the bare torch loop, in interleaved blocks.
// Prints one JSON object: microseconds per call of every block of both loops, and counts per call.
#include <surrogate/surrogate.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "allocations.h"
#include "bare.h"

namespace {

constexpr int64_t kSize = 64;
constexpr int64_t kShape[] = {1, 1, kSize, kSize}; // bare: (B, C, ny, nx)

using Clock = std::chrono::steady_clock;

struct Loops {
    surrogate_model *model;
    bare_model *bare;
    std::vector<float> input, output;
    surrogate_field in, out;

    void surrogate(int calls) {
        for (int i = 0; i < calls; ++i)
            if (surrogate_predict(model, &out, &in, 1, nullptr) != SURROGATE_OK) {
                std::fprintf(stderr, "%s\n", surrogate_last_error());
                std::exit(1);
            }
    }
    void torch(int calls) {
        for (int i = 0; i < calls; ++i)
            bare_run(bare, output.data(), input.data(), kShape);
    }
};

template <class Loop> double microseconds_per_call(Loop loop, int calls) {
    const auto start = Clock::now();
    loop(calls);
    return std::chrono::duration<double, std::micro>(Clock::now() - start).count() / calls;
}

template <class Loop> double allocations_per_call(Loop loop, int calls) {
    const int64_t before = allocations();
    loop(calls);
    return static_cast<double>(allocations() - before) / calls;
}

void print_list(const char *name, const std::vector<double> &values) {
    std::printf("\"%s\": [", name);
    for (size_t i = 0; i < values.size(); ++i)
        std::printf("%s%.5f", i > 0 ? ", " : "", values[i]);
    std::printf("], ");
}

surrogate_statistics statistics(surrogate_model *model) {
    surrogate_statistics result{};
    result.struct_size = sizeof result;
    surrogate_get_statistics(model, &result);
    return result;
}

} // namespace

int main(int count, char **arguments) {
    if (count != 5) {
        std::fprintf(stderr, "usage: overhead BUNDLE PROGRAM BLOCKS CALLS\n");
        return 2;
    }
    const int blocks = std::atoi(arguments[3]), calls = std::atoi(arguments[4]);
    Loops loops{};
    surrogate_open_options options;
    surrogate_open_options_init(&options, sizeof options);
    options.threads = 1;
    if (surrogate_open(&loops.model, arguments[1], &options) < 0) {
        std::fprintf(stderr, "%s\n", surrogate_last_error());
        return 1;
    }
    loops.bare = bare_open(arguments[2]);
    if (loops.bare == nullptr)
        return 1;
    for (int64_t i = 0; i < kSize * kSize; ++i)
        loops.input.push_back(static_cast<float>(i) * 1e-3f);
    loops.output.resize(loops.input.size());
    surrogate_field_init(&loops.in, nullptr, loops.input.data(), SURROGATE_FLOAT32, 2, kShape + 2);
    surrogate_field_init(&loops.out, nullptr, loops.output.data(), SURROGATE_FLOAT32, 2, kShape + 2);

    auto surrogate = [&](int n) { loops.surrogate(n); };
    auto torch = [&](int n) { loops.torch(n); };
    surrogate(calls); // warm-up of both
    torch(calls);
    const surrogate_statistics before = statistics(loops.model);
    std::vector<double> surrogate_us, bare_us;
    for (int block = 0; block < blocks; ++block) {
        surrogate_us.push_back(microseconds_per_call(surrogate, calls));
        bare_us.push_back(microseconds_per_call(torch, calls));
    }
    const surrogate_statistics after = statistics(loops.model);
    const double measured = static_cast<double>(after.calls - before.calls);
    std::printf("{");
    print_list("surrogate_us", surrogate_us);
    print_list("bare_us", bare_us);
    std::printf("\"input_copies_per_call\": %g, \"output_passes_per_call\": %g, \"library_allocations_per_call\": %g, ",
                static_cast<double>(after.input_copies - before.input_copies) / measured,
                static_cast<double>(after.output_passes - before.output_passes) / measured,
                static_cast<double>(after.allocations - before.allocations) / measured);
    std::printf("\"program_us\": %.5f, \"pack_us\": %.5f, \"output_us\": %.5f, ",
                1e6 * (after.program_seconds - before.program_seconds) / measured,
                1e6 * (after.pack_seconds - before.pack_seconds) / measured,
                1e6 * (after.output_seconds - before.output_seconds) / measured);
    std::printf("\"allocations_per_call\": %g, \"bare_allocations_per_call\": %g}\n",
                allocations_per_call(surrogate, calls), allocations_per_call(torch, calls));
    surrogate_close(loops.model);
    bare_close(loops.bare);
    return 0;
}
