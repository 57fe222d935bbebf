// A small solver with a surrogate in its loop: two tracers, periodic, upwind advection and centred diffusion.
// Usage: advection_diffusion_cpp BUNDLE OUTPUT.bin [JUMPS].  The same in C, Fortran and Python stands beside it.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <surrogate/surrogate.hpp>
#include <vector>

constexpr int nx = 64, ny = 32, pitch = nx + 2; // one ghost cell on each side
constexpr double dt = 1.0 / 128, cx = 0.25, cy = 0.125, diffusion = 1.0 / 64;

struct Tracer {
    std::vector<double> cells = std::vector<double>(static_cast<std::size_t>((ny + 2) * pitch));
    double &operator()(int j, int i) { return cells[static_cast<std::size_t>(j * pitch + i)]; }

    void step() {
        Tracer &u = *this;
        for (int j = 1; j <= ny; ++j)
            u(j, 0) = u(j, nx), u(j, nx + 1) = u(j, 1);
        for (int i = 0; i <= nx + 1; ++i)
            u(0, i) = u(ny, i), u(ny + 1, i) = u(1, i);
        Tracer old = u;
        for (int j = 1; j <= ny; ++j)
            for (int i = 1; i <= nx; ++i) {
                const double o = old(j, i), w = old(j, i - 1), e = old(j, i + 1), s = old(j - 1, i), n = old(j + 1, i);
                u(j, i) = o - cx * (o - w) - cy * (o - s) + diffusion * ((w + e) + (s + n) - 4 * o);
            }
    }
};

void initialise(Tracer &c, Tracer &q) {
    for (int j = 1; j <= ny; ++j)
        for (int i = 1; i <= nx; ++i) {
            const double x = (i - 0.5) / nx, y = (j - 0.5) / ny;
            c(j, i) = 16 * x * (1 - x) * y * (1 - y);
            q(j, i) = i <= nx / 2 ? 1 : 0;
        }
}

void write(std::ofstream &file, Tracer &u) {
    for (int j = 1; j <= ny; ++j)
        file.write(reinterpret_cast<const char *>(&u(j, 1)), nx * sizeof(double));
}

int main(int argc, char **argv) try {
    if (argc < 3)
        return std::fprintf(stderr, "usage: %s BUNDLE OUTPUT.bin [JUMPS]\n", argv[0]), 2;
    const int jumps = argc > 3 ? std::atoi(argv[3]) : 4;
    surrogate::Options options;
    options.threads = 1;
    auto model = surrogate::Model::open(argv[1], options);
    const double jump = model.info().time_step;

    Tracer c, q;
    initialise(c, q);
    const surrogate::Field state[] = {surrogate::ghosted("c", c.cells.data(), {ny, nx}, {1, 1}),
                                      surrogate::ghosted("q", q.cells.data(), {ny, nx}, {1, 1})};
    int accepted = 0, rejected = 0;
    while (accepted + rejected < jumps) {
        if (model.predict(state, state) == surrogate::Outcome::ok) { // in place
            ++accepted;
        } else { // the solver steps itself
            for (int k = 0; k < static_cast<int>(jump / dt + 0.5); ++k)
                c.step(), q.step();
            ++rejected;
        }
    }

    std::printf("accepted %d, rejected %d, time %8.3f\n", accepted, rejected, jumps * jump);
    std::ofstream file(argv[2], std::ios::binary);
    write(file, c);
    write(file, q);
    return file.flush() ? 0 : 1;
} catch (const surrogate::Error &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
