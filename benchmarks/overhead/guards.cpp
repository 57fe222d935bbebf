// guards BUNDLE DTYPE CHANNELS SIZE BLOCKS CALLS [GUARDS]: what the guards and the one writing pass of a call take,
// against memcpy of the input and of the output frame, in interleaved blocks. DTYPE: 4 or 8 bytes. GUARDS: JSON.
// Prints one JSON object: of every block the median microseconds of a call.
#include <surrogate/surrogate.h>

#include <algorithm>
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

double median(std::vector<double> &values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
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
    std::vector<double> times[4]; // guards and writing, guards alone, packing, memcpy
    for (int block = -1; block < blocks; ++block) { // the first warms up
        for (auto &values : times)
            values.clear();
        for (int i = 0; i < calls; ++i) {
            const surrogate_statistics before = statistics(model);
            if (surrogate_predict_array(model, output.data(), input.data(), dtype, 3, shape, nullptr) != SURROGATE_OK)
                return fail();
            const surrogate_statistics after = statistics(model);
            times[0].push_back(1e6 * (after.output_seconds - before.output_seconds));
            times[1].push_back(1e6 * (after.guard_seconds - before.guard_seconds));
            times[2].push_back(1e6 * (after.pack_seconds - before.pack_seconds));
            const auto start = Clock::now();
            std::memcpy(copy_in.data(), input.data(), frame);
            std::memcpy(copy_out.data(), output.data(), frame);
            times[3].push_back(microseconds(start));
        }
        if (block >= 0)
            std::printf("%s[%.5f, %.5f, %.5f, %.5f]", block ? ", " : "", median(times[0]), median(times[1]),
                        median(times[2]), median(times[3]));
    }
    std::printf("]}\n");
    surrogate_close(model);
    return 0;
}
