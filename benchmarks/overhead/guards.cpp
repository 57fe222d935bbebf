// guards BUNDLE DTYPE CHANNELS SIZE BLOCKS CALLS [GUARDS]: what the guards and the one writing pass of a call take,
// against memcpy of the input and of the output frame, in interleaved blocks. DTYPE: 4 or 8 bytes. GUARDS: JSON.
// Prints one JSON object: microseconds per call of every block.
#include <surrogate/surrogate.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

surrogate_statistics statistics(surrogate_model *model) {
    surrogate_statistics result{};
    result.struct_size = sizeof result;
    surrogate_get_statistics(model, &result);
    return result;
}

double microseconds(Clock::time_point from) {
    return std::chrono::duration<double, std::micro>(Clock::now() - from).count();
}

int fail() {
    std::fprintf(stderr, "%s\n", surrogate_last_error());
    return 1;
}

} // namespace

int main(int count, char **arguments) {
    if (count != 7 && count != 8) {
        std::fprintf(stderr, "usage: guards BUNDLE DTYPE CHANNELS SIZE BLOCKS CALLS [GUARDS]\n");
        return 2;
    }
    const int bytes = std::atoi(arguments[2]), blocks = std::atoi(arguments[5]), calls = std::atoi(arguments[6]);
    const int64_t channels = std::atoi(arguments[3]), size = std::atoi(arguments[4]);
    const int64_t shape[] = {channels, size, size}, cells = channels * size * size;
    const int dtype = bytes == 8 ? SURROGATE_FLOAT64 : SURROGATE_FLOAT32;
    surrogate_open_options options;
    surrogate_open_options_init(&options, sizeof options);
    options.threads = 1;
    options.guards = count == 8 ? arguments[7] : nullptr;
    surrogate_model *model = nullptr;
    if (surrogate_open(&model, arguments[1], &options) < 0)
        return fail();
    const auto frame = static_cast<size_t>(cells * bytes);
    std::vector<double> input(frame / 8 + 1), output(input.size()), copy_in(input.size()), copy_out(input.size());
    for (int64_t i = 0; i < cells; ++i) {
        const double value = 1.0 + 0.5 * std::sin(static_cast<double>(i % 9973));
        if (bytes == 8)
            input[static_cast<size_t>(i)] = value;
        else
            reinterpret_cast<float *>(input.data())[i] = static_cast<float>(value);
    }
    std::printf("{\"blocks\": [");
    for (int block = -1; block < blocks; ++block) { // the first warms up
        double copied = 0;
        const surrogate_statistics before = statistics(model);
        for (int i = 0; i < calls; ++i) {
            if (surrogate_predict_array(model, output.data(), input.data(), dtype, 3, shape, nullptr) != SURROGATE_OK)
                return fail();
            const auto start = Clock::now();
            std::memcpy(copy_in.data(), input.data(), frame);
            std::memcpy(copy_out.data(), output.data(), frame);
            copied += microseconds(start);
        }
        const surrogate_statistics after = statistics(model);
        const auto mean = [&](double surrogate_statistics::*seconds) {
            return 1e6 * (after.*seconds - before.*seconds) / calls;
        };
        if (block >= 0)
            std::printf("%s[%.5f, %.5f, %.5f, %.5f]", block ? ", " : "", mean(&surrogate_statistics::output_seconds),
                        mean(&surrogate_statistics::guard_seconds), mean(&surrogate_statistics::pack_seconds),
                        copied / calls);
    }
    std::printf("]}\n");
    surrogate_close(model);
    return 0;
}
