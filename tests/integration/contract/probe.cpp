// The C++ twin of probe.c: same arguments, same forms, same output.
#include <cstdio>
#include <fstream>
#include <surrogate/surrogate.hpp>
#include <vector>

namespace {

constexpr int nx = 64, ny = 32, g = 2, px = nx + 2 * g, py = ny + 2 * g;

template <class T> std::vector<T> array(int size) {
    return std::vector<T>(static_cast<std::size_t>(size));
}

// Like std::mdspan<double, dextents<2>, layout_stride>.
struct View {
    double *first;
    std::size_t step[2];
    double *data_handle() const { return first; }
    static constexpr std::size_t rank() { return 2; }
    std::size_t extent(std::size_t axis) const { return axis == 0 ? ny : nx; }
    std::size_t stride(std::size_t axis) const { return step[axis]; }
};

template <class T, class Index> void write(std::ofstream &out, const std::vector<T> &from, Index index) {
    for (int k = 0; k < 2; ++k)
        for (int j = 0; j < ny; ++j)
            for (int i = 0; i < nx; ++i)
                out.write(reinterpret_cast<const char *>(&from[static_cast<std::size_t>(index(k, j, i))]), sizeof(T));
}

template <class T, class Index> void scatter(std::vector<T> &to, const std::vector<double> &from, Index index) {
    std::size_t n = 0;
    for (int k = 0; k < 2; ++k)
        for (int j = 0; j < ny; ++j)
            for (int i = 0; i < nx; ++i)
                to[static_cast<std::size_t>(index(k, j, i))] = static_cast<T>(from[n++]);
}

const auto plain = [](int k, int j, int i) { return (k * ny + j) * nx + i; };
const auto padded = [](int k, int j, int i) { return (k * py + j + g) * px + i + g; };
const auto member = [](int k, int j, int i) { return (j * nx + i) * 2 + k; };
const auto sparse = [](int k, int j, int i) { return (k * 3 * ny + 3 * j) * 2 * nx + 2 * i; };

void require(surrogate::Outcome outcome) {
    if (outcome != surrogate::Outcome::ok)
        throw surrogate::Error(SURROGATE_REJECTED, surrogate_last_error());
}

template <class T> void ghosts(surrogate::Model &model, std::ofstream &out, const std::vector<double> &now) {
    auto cells = array<T>(2 * py * px);
    scatter(cells, now, padded);
    const surrogate::Field fields[] = {surrogate::ghosted("c", cells.data(), {ny, nx}, {g, g}),
                                       surrogate::ghosted("q", cells.data() + py * px, {ny, nx}, {g, g})};
    require(model.predict(fields, fields));
    write(out, cells, padded);
}

template <class T> void whole(surrogate::Model &model, std::ofstream &out, const std::vector<double> &now) {
    auto input = array<T>(2 * ny * nx), output = input;
    scatter(input, now, plain);
    require(model.predict(output, input, {2, ny, nx}));
    write(out, output, plain);
}

} // namespace

int main(int argc, char **argv) try {
    if (argc != 4)
        return 2;
    auto now = array<double>(2 * ny * nx);
    std::ifstream in(argv[2], std::ios::binary);
    in.read(reinterpret_cast<char *>(now.data()), static_cast<std::streamsize>(now.size() * sizeof(double)));
    std::ofstream out(argv[3], std::ios::binary);
    surrogate::Options options;
    options.threads = 1;
    auto model = surrogate::Model::open(argv[1], options);

    whole<double>(model, out, now);
    ghosts<double>(model, out, now);

    auto records = array<double>(2 * ny * nx);
    scatter(records, now, member);
    const std::vector<surrogate::Field> members{surrogate::strided("c", records.data(), {ny, nx}, {16 * nx, 16}),
                                                surrogate::strided("q", records.data() + 1, {ny, nx}, {16 * nx, 16})};
    require(model.predict(members, members));
    write(out, records, member);

    auto wide = array<double>(2 * 6 * ny * nx);
    scatter(wide, now, sparse);
    const auto c = surrogate::field("c", View{wide.data(), {6 * nx, 2}});
    const auto q = surrogate::field("q", View{wide.data() + 6 * ny * nx, {6 * nx, 2}});
    require(model.predict({c, q}, {q, c})); // any order
    write(out, wide, sparse);

    whole<float>(model, out, now);
    ghosts<float>(model, out, now);
    return out.flush() ? 0 : 1;
} catch (const surrogate::Error &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
