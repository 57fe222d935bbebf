// The C++ twin of sampled.c: same arguments, same output.
#include <surrogate/surrogate.hpp>

#include <fstream>
#include <iostream>
#include <vector>

int main(int argc, char **argv) {
    constexpr std::int64_t NX = 64, NY = 32, CELLS = NX * NY, FRAMES = 3;
    if (argc != 4)
        return 2;
    std::vector<double> now(2 * CELLS), next(4 * CELLS), frames(FRAMES * 2 * CELLS);
    const auto bytes = [](std::vector<double> &values) { return reinterpret_cast<char *>(values.data()); };
    const auto size = [](const std::vector<double> &values) {
        return static_cast<std::streamsize>(values.size() * sizeof(double));
    };
    std::ifstream(argv[2], std::ios::binary).read(bytes(now), size(now));
    try {
        surrogate::Options options;
        options.threads = 1;
        options.preload = true;
        auto model = surrogate::Model::open(argv[1], options);
        surrogate::Step step;
        step.step = 7;
        step.seed = 11;
        step.member = 2;
        const double *state = now.data();
        model.predict(next.data(), state, {2, NY, NX}, step);
        step.steps = 4;
        step.guidance = 2.5;
        step.caption = "A red\xc3\xa9 Circle";
        model.predict(next.data() + 2 * CELLS, state, {2, NY, NX}, step);
        std::vector<surrogate::ConstField> input;
        std::vector<surrogate::Field> output;
        for (std::int64_t k = 0; k < 2; ++k) {
            constexpr auto element = static_cast<std::int64_t>(sizeof(double));
            input.push_back(surrogate::field(nullptr, state + k * CELLS, {NY, NX}));
            output.push_back(surrogate::strided(nullptr, frames.data() + k * CELLS, {FRAMES, NY, NX},
                                                {2 * CELLS * element, NX * element, element}));
            output.back().batch_axis = 0;
        }
        model.rollout(output, input, FRAMES, step);
    } catch (const surrogate::Error &error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
    std::ofstream out(argv[3], std::ios::binary);
    out.write(bytes(next), size(next));
    out.write(bytes(frames), size(frames));
}
