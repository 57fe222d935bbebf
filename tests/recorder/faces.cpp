// Records four frames, the last one refused, through surrogate.hpp. Argument: the path.
#include <surrogate/surrogate.hpp>

#include <array>
#include <cstdio>
#include <vector>

int main(int, char **argv) {
    using surrogate::Recorder;
    constexpr int ny = 4, nx = 6;
    std::vector<double> rho(ny * nx);
    std::array<float, 2 * ny * nx> v{};
    surrogate::RecorderOptions options;
    options.time_unit = "s";
    options.seed = 5;
    options.precision = SURROGATE_FLOAT64;
    Recorder recorder = Recorder::open(argv[1], options);
    const auto fields = {surrogate::ConstField(surrogate::field("rho", rho.data(), {ny, nx})),
                         surrogate::ConstField(surrogate::components(surrogate::field("v", v.data(), {2, ny, nx}), 0))};
    for (int n = 0; n < 3; ++n) {
        for (std::size_t i = 0; i < rho.size(); ++i)
            rho[i] = 100.0 * n + static_cast<double>(i);
        for (std::size_t i = 0; i < v.size(); ++i)
            v[i] = static_cast<float>(100 * n) - static_cast<float>(i);
        recorder.write(0.5 * n, fields);
    }
    Recorder moved = std::move(recorder);
    try {
        moved.write(0.5, fields);
        std::puts("a time that does not increase was taken");
    } catch (const surrogate::Error &error) {
        if (error.status() != SURROGATE_ERROR_ARGUMENT)
            std::puts(error.what());
    }
    if (recorder || moved.try_write(0.5, fields) != SURROGATE_ERROR_ARGUMENT)
        std::puts("moving failed");
    moved.close();
    if (moved)
        std::puts("still open");
    std::puts("done");
}
