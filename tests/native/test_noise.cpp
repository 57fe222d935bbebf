// Philox, the inverse normal distribution, and the noise made of them.
#include "check.h"
#include "noise.h"

#include <cmath>
#include <vector>

using namespace surrogate::core;

static bool same(const std::uint64_t (&counter)[4], const std::uint64_t (&key)[2], const std::uint64_t (&expected)[4]) {
    std::uint64_t found[4];
    philox(found, counter, key);
    return std::memcmp(found, expected, sizeof found) == 0;
}

/// Words of numpy.random.Philox(counter=counter - 1, key=key).random_raw(4).
static void philox_is_numpys() {
    CHECK(same({0, 0, 0, 0}, {0, 0}, {0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b}));
    CHECK(
        same({5, 1, 2, 3}, {42, 7}, {0xdda552148aa5565e, 0xc5bfa86f0e78fc1d, 0x6faaf230e9d90115, 0x9d54475628d3dafd}));
    CHECK(same({~0ull, ~0ull, 9, 1}, {~0ull, 1ull << 63},
               {0x8ad6b5a01e518ba8, 0x236c41effcf41302, 0xf1f9e1b9c86e34f4, 0xee6d74bff92b038c}));
}

/// The word of a uniform number u = (k + 1/2) / 2^53.
static std::uint64_t word(double u) {
    return static_cast<std::uint64_t>(std::floor(u * 0x1p53)) << 11;
}

/// Values of Python's statistics.NormalDist().inv_cdf, in the middle, beyond |u - 1/2| = 0.425, and far out.
static void normals_are_the_inverse_distribution() {
    const double expected[][2] = {{0.6, 0x1.036d6c4a04b5ap-2},
                                  {0.93, 0x1.79cd70d9c27f3p+0},
                                  {0.99, 0x1.29c5c4630ff0ep+1},
                                  {1e-5, -0x1.10f3f8843a3dap+2}};
    for (const auto &pair : expected)
        CHECK(std::abs(normal(word(pair[0])) - pair[1]) < 1e-11);
    CHECK(std::abs(normal(std::uint64_t{8192} << 11) - -0x1.c30d8560989abp+2) < 1e-4); // k + 1/2 against k
    CHECK(normal(0) == -normal(~0ull) && normal(0) < -8.2 && normal(0) > -8.4);        // both ends, finite
    for (std::uint64_t k = 1; k < 1000; ++k)                                           // odd about 1/2
        CHECK(normal(k * 0x9e3779b97f4a7c15) == -normal(~(k * 0x9e3779b97f4a7c15)));
}

static void a_block_is_a_slice_of_the_whole() {
    constexpr std::int64_t N[3] = {6, 10, 300}, PART[3] = {2, 5, 290};
    const Domain whole{{}, {N[0], N[1], N[2]}}, block{{5, -2, 20}, {N[0], N[1], N[2]}}; // over the edges
    std::vector<float> all(6 * 6 * 10 * 300), part(6 * 2 * 5 * 290);
    fill_noise(all.data(), {1, 2}, 3, 0, 6, N, whole);
    fill_noise(part.data(), {1, 2}, 3, 0, 6, PART, block);
    int different = 0;
    const float *p = part.data();
    for (std::int64_t c = 0; c < 6; ++c)
        for (std::int64_t z = 5; z < 7; ++z)
            for (std::int64_t y = -2; y < 3; ++y)
                for (std::int64_t x = 20; x < 310; ++x)
                    different +=
                        *p++ != all[static_cast<std::size_t>(((c * 6 + z % 6) * 10 + (y + 10) % 10) * 300 + x % 300)];
    CHECK(different == 0);
}

static void noise_is_normal_and_differs_by_member_input_and_step() {
    constexpr std::int64_t N[3] = {400, 500, 1};
    constexpr std::size_t CELLS = 400 * 500;
    const Domain whole{{}, {N[0], N[1], N[2]}};
    std::vector<float> a(5 * CELLS), b(5 * CELLS);
    fill_noise(a.data(), {7, 1}, 0, 0, 5, N, whole);
    double sum = 0, squares = 0, fourths = 0, neighbours = 0;
    std::size_t inside = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double x = a[i];
        sum += x, squares += x * x, fourths += x * x * x * x, inside += std::abs(x) < 1;
        neighbours += i ? x * a[i - 1] : 0;
    }
    const double n = static_cast<double>(a.size()); // 10^6: tolerances of five standard errors
    CHECK(std::abs(sum / n) < 0.005 && std::abs(squares / n - 1) < 0.0071 && std::abs(fourths / n - 3) < 0.049);
    CHECK(std::abs(static_cast<double>(inside) / n - 0.682689492) < 0.0024 && std::abs(neighbours / n) < 0.005);
    const auto correlation = [&](NoiseKey key, std::uint64_t member, std::uint64_t input) {
        fill_noise(b.data(), key, member, input, 5, N, whole);
        double product = 0;
        for (std::size_t i = 0; i < a.size(); ++i)
            product += double{a[i]} * b[i];
        return product / n;
    };
    CHECK(correlation({7, 1}, 0, 0) > 0.99);
    CHECK(std::abs(correlation({7, 1}, 1, 0)) < 0.005 && std::abs(correlation({7, 1}, 0, 1)) < 0.005);
    CHECK(std::abs(correlation({7, 2}, 0, 0)) < 0.005 && std::abs(correlation({8, 1}, 0, 0)) < 0.005);
}

int main() {
    philox_is_numpys();
    normals_are_the_inverse_distribution();
    a_block_is_a_slice_of_the_whole();
    noise_is_normal_and_differs_by_member_input_and_step();
    return finish();
}
