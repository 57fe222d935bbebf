// guards BUNDLE DTYPE FIELDS SIZE GHOSTS BLOCKS CALLS [GUARDS]: what the guards and the one writing pass of a call
// take, against memcpy of the input and of the output frame, in interleaved blocks. DTYPE: 4 or 8 bytes; GHOSTS: cells
// around each field, which is an array of its own; GUARDS: JSON. Prints one JSON object: of every block the median
// microseconds of a call, and how often a call read the fields to copy them and wrote them.
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

/// Fields of SIZE^2 cells, each an array with ghost cells around it.
struct Arrays {
    Arrays(int64_t fields, int64_t size, int64_t ghosts, int bytes)
        : width(size + 2 * ghosts),
          memory(static_cast<size_t>(fields), std::vector<double>(static_cast<size_t>(width * width * bytes / 8 + 1))) {
        const int64_t shape[] = {size, size};
        for (auto &array : memory) {
            surrogate_field field;
            char *first = reinterpret_cast<char *>(array.data()) + ghosts * (width + 1) * bytes;
            surrogate_field_init(&field, nullptr, first, bytes == 8 ? SURROGATE_FLOAT64 : SURROGATE_FLOAT32, 2, shape);
            field.strides[0] = width * bytes;
            described.push_back(field);
        }
    }
    void fill(int bytes) {
        int64_t i = 0;
        for (auto &array : memory)
            for (int64_t k = 0; k < width * width; ++k, ++i) {
                const double value = 1.0 + 0.5 * std::sin(static_cast<double>(i % 9973));
                if (bytes == 8)
                    array[static_cast<size_t>(k)] = value;
                else
                    reinterpret_cast<float *>(array.data())[k] = static_cast<float>(value);
            }
    }
    /// memcpy of the fields without their ghost cells, in as few pieces as there are.
    void copy(char *to) const {
        for (const surrogate_field &field : described) {
            const int64_t row = field.shape[1] * field.strides[1];
            const int64_t rows = field.strides[0] == row ? 1 : field.shape[0], piece = row * field.shape[0] / rows;
            for (int64_t j = 0; j < rows; ++j, to += piece)
                std::memcpy(to, static_cast<const char *>(field.data) + j * field.strides[0],
                            static_cast<size_t>(piece));
        }
    }
    int64_t width;
    std::vector<std::vector<double>> memory;
    std::vector<surrogate_field> described;
};

} // namespace

int main(int count, char **arguments) {
    if (count != 8 && count != 9) {
        std::fprintf(stderr, "usage: guards BUNDLE DTYPE FIELDS SIZE GHOSTS BLOCKS CALLS [GUARDS]\n");
        return 2;
    }
    const int bytes = std::atoi(arguments[2]), blocks = std::atoi(arguments[6]), calls = std::atoi(arguments[7]);
    const int64_t fields = std::atoi(arguments[3]), size = std::atoi(arguments[4]), ghosts = std::atoi(arguments[5]);
    surrogate_open_options options;
    surrogate_open_options_init(&options, sizeof options);
    options.threads = 1;
    options.guards = count == 9 ? arguments[8] : nullptr;
    surrogate_model *model = nullptr;
    if (surrogate_open(&model, arguments[1], &options) < 0)
        return fail();
    const auto frame = static_cast<size_t>(fields * size * size * bytes);
    Arrays input(fields, size, ghosts, bytes), output(fields, size, ghosts, bytes);
    input.fill(bytes);
    std::vector<char> copy_in(frame), copy_out(frame);
    surrogate_statistics opened{};
    std::printf("{\"blocks\": [");
    std::vector<double> times[4];                   // guards and writing, guards alone, packing, memcpy
    for (int block = -1; block < blocks; ++block) { // the first warms up
        for (auto &values : times)
            values.clear();
        if (block == 0)
            opened = statistics(model);
        for (int i = 0; i < calls; ++i) {
            const surrogate_statistics before = statistics(model);
            if (surrogate_predict(model, output.described.data(), input.described.data(), input.described.size(),
                                  nullptr) != SURROGATE_OK)
                return fail();
            const surrogate_statistics after = statistics(model);
            times[0].push_back(1e6 * (after.output_seconds - before.output_seconds));
            times[1].push_back(1e6 * (after.guard_seconds - before.guard_seconds));
            times[2].push_back(1e6 * (after.pack_seconds - before.pack_seconds));
            const auto start = Clock::now();
            input.copy(copy_in.data());
            output.copy(copy_out.data());
            times[3].push_back(microseconds(start));
        }
        if (block >= 0)
            std::printf("%s[%.5f, %.5f, %.5f, %.5f]", block ? ", " : "", median(times[0]), median(times[1]),
                        median(times[2]), median(times[3]));
    }
    const surrogate_statistics closed = statistics(model);
    const auto made = static_cast<double>(closed.calls - opened.calls);
    std::printf("], \"input_copies_per_call\": %g, \"output_passes_per_call\": %g, \"allocations_per_call\": %g}\n",
                static_cast<double>(closed.input_copies - opened.input_copies) / made,
                static_cast<double>(closed.output_passes - opened.output_passes) / made,
                static_cast<double>(closed.allocations - opened.allocations) / made);
    surrogate_close(model);
    return 0;
}
