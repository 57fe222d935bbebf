// Sums have the same bits for every instruction set and way of cutting rows, and the value of a sum in long double.
#include "check.h"

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

// sums.cpp is compiled once for each of these, with `core` renamed; the types are the same but for their names.
#define core core_base
#include "sums.h"
#undef core
namespace base = surrogate::core_base;
#define DECLARE(set, T)                                                                                                \
    namespace surrogate::core_##set {                                                                                  \
        struct MomentSums;                                                                                                \
        struct Lanes;                                                                                                  \
        void add_moments(const T *, std::int64_t, std::int64_t, double, MomentSums &);                                    \
        void add_magnitude(const T *, std::int64_t, std::int64_t, double, MomentSums &, Lanes &);                         \
        std::int64_t count_outside(const T *, std::int64_t, std::int64_t, T, T);                                       \
        void add_change(const T *, std::int64_t, const float *, std::int64_t, bool, T, T, T, T, MomentSums &, Lanes &);   \
    }
DECLARE(avx2, float)
DECLARE(avx2, double)
DECLARE(avx512f, float)
DECLARE(avx512f, double)

template <class T> struct Sums {
    void (*moments)(const T *, std::int64_t, std::int64_t, double, base::MomentSums &);
    void (*magnitude)(const T *, std::int64_t, std::int64_t, double, base::MomentSums &, base::Lanes &);
    std::int64_t (*outside)(const T *, std::int64_t, std::int64_t, T, T);
    void (*change)(const T *, std::int64_t, const float *, std::int64_t, bool, T, T, T, T, base::MomentSums &,
                   base::Lanes &);
};

#define SET(set)                                                                                                       \
    {                                                                                                                  \
        [](const T *x, std::int64_t s, std::int64_t n, double c, base::MomentSums &m) {                                   \
            namespace at = surrogate::core_##set;                                                                      \
            at::add_moments(x, s, n, c, reinterpret_cast<at::MomentSums &>(m));                                           \
        },                                                                                                             \
            [](const T *x, std::int64_t s, std::int64_t n, double c, base::MomentSums &m, base::Lanes &a) {               \
                namespace at = surrogate::core_##set;                                                                  \
                at::add_magnitude(x, s, n, c, reinterpret_cast<at::MomentSums &>(m), reinterpret_cast<at::Lanes &>(a));   \
            },                                                                                                         \
            [](const T *x, std::int64_t s, std::int64_t n, T l, T u) {                                                 \
                return surrogate::core_##set::count_outside(x, s, n, l, u);                                            \
            },                                                                                                         \
            [](const T *x, std::int64_t s, const float *y, std::int64_t n, bool i, T o, T k, T l, T u,                 \
               base::MomentSums &m, base::Lanes &c) {                                                                     \
                namespace at = surrogate::core_##set;                                                                  \
                at::add_change(x, s, y, n, i, o, k, l, u, reinterpret_cast<at::MomentSums &>(m),                          \
                               reinterpret_cast<at::Lanes &>(c));                                                      \
            },                                                                                                         \
    }

template <class T> static std::vector<Sums<T>> available() {
    std::vector<Sums<T>> sets = {SET(base)};
    if (__builtin_cpu_supports("avx2"))
        sets.push_back(SET(avx2));
    if (__builtin_cpu_supports("avx512f"))
        sets.push_back(SET(avx512f));
    return sets;
}

struct Result {
    double values[7];
};

/// Everything that is summed over rows of n cells: `rows` of them, each of its own call.
template <class T>
static Result sum(const Sums<T> &set, const std::vector<T> &x, std::int64_t stride, const std::vector<float> &y,
                  std::int64_t n, std::int64_t rows, bool increment) {
    base::MomentSums sums, change;
    base::Lanes absolute, clipped;
    std::int64_t outside = 0;
    for (std::int64_t r = 0; r < rows; ++r) {
        const T *at = x.data() + r * n * stride;
        set.magnitude(at, stride, n, 0.3, sums, absolute);
        outside += set.outside(at, stride, n, T(-0.5), T(1.0));
        set.change(at, stride, y.data() + r * n, n, increment, T(0.1), T(0.7), T(-1), T(1), change, clipped);
    }
    return {sums.first.total(),   sums.second.total(),   static_cast<double>(outside), absolute.total(),
            change.first.total(), change.second.total(), clipped.total()};
}

template <class T>
static Result expected(const std::vector<T> &x, std::int64_t stride, const std::vector<float> &y, bool increment) {
    long double sums[7] = {};
    for (std::size_t i = 0; i < y.size(); ++i) {
        const T value = x[i * static_cast<std::size_t>(stride)], jump = T(0.1) + T(0.7) * static_cast<T>(y[i]);
        const T u = increment ? value + jump : jump, clipped = u < T(-1) ? T(-1) : u > T(1) ? T(1) : u;
        const long double d = static_cast<long double>(value) - 0.3, c = static_cast<long double>(clipped) - value;
        sums[0] += d;
        sums[1] += d * d;
        sums[2] += !(value >= T(-0.5) && value <= T(1.0));
        sums[3] += value < 0 ? -static_cast<long double>(value) : static_cast<long double>(value);
        sums[4] += c;
        sums[5] += c * c;
        sums[6] += clipped != u;
    }
    Result result{};
    for (int k = 0; k < 7; ++k)
        result.values[k] = static_cast<double>(sums[k]);
    return result;
}

static bool same(const Result &a, const Result &b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

static bool close(const Result &a, const Result &b, std::int64_t cells) {
    bool good = a.values[2] == b.values[2] && a.values[6] == b.values[6];
    for (int k = 0; k < 7; ++k)
        good = good && std::abs(a.values[k] - b.values[k]) <= 1e-14 * static_cast<double>(cells);
    return good;
}

template <class T> static void compare(std::int64_t n, std::int64_t rows, std::int64_t stride, bool increment) {
    std::mt19937 random(5);
    std::normal_distribution<double> normal;
    std::vector<T> x(static_cast<std::size_t>(n * rows * stride));
    std::vector<float> y(static_cast<std::size_t>(n * rows));
    for (auto &value : x)
        value = static_cast<T>(normal(random));
    for (auto &value : y)
        value = static_cast<float>(normal(random));
    const auto sets = available<T>();
    const Result first = sum(sets[0], x, stride, y, n, rows, increment);
    CHECK(close(first, expected(x, stride, y, increment), n * rows));
    for (const auto &set : sets) {
        CHECK(same(sum(set, x, stride, y, n, rows, increment), first));
        if (n % base::LANES == 0) // then rows may be merged
            CHECK(same(sum(set, x, stride, y, n * rows, 1, increment), first));
    }
    std::vector<T> dense;
    for (std::size_t i = 0; i < y.size(); ++i)
        dense.push_back(x[i * static_cast<std::size_t>(stride)]);
    CHECK(same(sum(sets[0], dense, 1, y, n, rows, increment), first));
    base::MomentSums of_y;
    Sums<float> single = available<float>().back();
    single.moments(y.data(), 1, n * rows, 0.0, of_y);
    long double total = 0;
    for (const float value : y)
        total += value;
    CHECK(std::abs(of_y.first.total() - static_cast<double>(total)) <= 1e-14 * static_cast<double>(n * rows));
}

int main() {
    for (const std::int64_t n : {1, 7, 15, 16, 17, 33, 48, 64, 257})
        for (const std::int64_t stride : {1, 3})
            for (const bool increment : {false, true}) {
                compare<float>(n, 5, stride, increment);
                compare<double>(n, 5, stride, increment);
            }
    return finish();
}
