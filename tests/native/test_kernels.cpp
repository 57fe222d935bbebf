// The inner loops give the same bits for every instruction set, and the bits of the plain formula.
#include "check.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

// kernels.cpp is compiled once for each of these, with `core` renamed.
#define DECLARE(set, T)                                                                                                \
    namespace surrogate::core_##set {                                                                                  \
        Range<T> range_of(const T *, std::int64_t, std::int64_t);                                                      \
        Range<T> pack_row(float *, const T *, std::int64_t, std::int64_t, T, T);                                       \
        bool check_next(const T *, std::int64_t, const float *, std::int64_t, T, T, T, T);                             \
        void write_next(T *, std::int64_t, const T *, std::int64_t, const float *, std::int64_t, T, T);                \
    }
namespace surrogate {
template <class T> struct Range {
    T lower, upper;
    bool within(T least, T most) const { return lower >= least && upper <= most; }
};
namespace core_base {
using surrogate::Range;
}
namespace core_avx2 {
using surrogate::Range;
}
namespace core_avx512f {
using surrogate::Range;
}
} // namespace surrogate
DECLARE(base, float)
DECLARE(base, double)
DECLARE(avx2, float)
DECLARE(avx2, double)
DECLARE(avx512f, float)
DECLARE(avx512f, double)

template <class T> struct Kernels {
    surrogate::Range<T> (*range)(const T *, std::int64_t, std::int64_t);
    surrogate::Range<T> (*pack)(float *, const T *, std::int64_t, std::int64_t, T, T);
    bool (*check_next)(const T *, std::int64_t, const float *, std::int64_t, T, T, T, T);
    void (*write)(T *, std::int64_t, const T *, std::int64_t, const float *, std::int64_t, T, T);
};

template <class T> static std::vector<Kernels<T>> available() {
    namespace base = surrogate::core_base;
    namespace avx2 = surrogate::core_avx2;
    namespace avx512f = surrogate::core_avx512f;
    std::vector<Kernels<T>> all = {{base::range_of, base::pack_row, base::check_next, base::write_next}};
    if (__builtin_cpu_supports("avx2"))
        all.push_back({avx2::range_of, avx2::pack_row, avx2::check_next, avx2::write_next});
    if (__builtin_cpu_supports("avx512f"))
        all.push_back({avx512f::range_of, avx512f::pack_row, avx512f::check_next, avx512f::write_next});
    return all;
}

template <class T> static bool same(T a, T b) {
    return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

template <class T>
static void compare(const Kernels<T> &kernels, std::mt19937 &random, std::int64_t n, std::int64_t stride) {
    const auto size = static_cast<std::size_t>(n * stride + 1);
    std::normal_distribution<double> normal;
    std::vector<T> x(size), u(size, T(-1));
    std::vector<float> y(static_cast<std::size_t>(n)), to(static_cast<std::size_t>(n));
    for (auto &value : x)
        value = static_cast<T>(normal(random));
    for (auto &value : y)
        value = static_cast<float>(normal(random));
    const T mean = T(0.3), inverse = T(1.7), offset = T(0.1), scale = T(0.7), largest = std::numeric_limits<T>::max();
    T least = x[0], most = x[0];
    for (std::int64_t i = 0; i < n; ++i) {
        least = std::min(least, x[static_cast<std::size_t>(i * stride)]);
        most = std::max(most, x[static_cast<std::size_t>(i * stride)]);
    }
    for (const auto &range :
         {kernels.range(x.data(), stride, n), kernels.pack(to.data(), x.data(), stride, n, mean, inverse)})
        CHECK(same(range.lower, least) && same(range.upper, most));
    CHECK(kernels.check_next(x.data(), stride, y.data(), n, offset, scale, -largest, largest));
    kernels.write(u.data(), stride, x.data(), stride, y.data(), n, offset, scale);
    for (std::int64_t i = 0; i < n; ++i) {
        const auto at = static_cast<std::size_t>(i * stride), k = static_cast<std::size_t>(i);
        CHECK(same(to[k], static_cast<float>((x[at] - mean) * inverse)));
        CHECK(same(u[at], static_cast<T>(x[at] + (offset + scale * static_cast<T>(y[k])))));
    }
    if (stride > 1)
        CHECK(u[1] == T(-1)); // between the elements nothing is written
    auto in_place = x;
    kernels.write(in_place.data(), stride, in_place.data(), stride, y.data(), n, offset, scale);
    for (std::int64_t i = 0; i < n; ++i)
        CHECK(same(in_place[static_cast<std::size_t>(i * stride)], u[static_cast<std::size_t>(i * stride)]));
    kernels.write(u.data(), stride, nullptr, stride, y.data(), n, offset, scale);
    CHECK(same(u[0], static_cast<T>(offset + scale * static_cast<T>(y[0]))));

    const auto bad = static_cast<std::size_t>(static_cast<std::int64_t>(random() % static_cast<unsigned>(n)) * stride);
    const T nan = std::numeric_limits<T>::quiet_NaN();
    for (const T value : {nan, -nan, std::numeric_limits<T>::infinity(), T(-100)}) {
        auto broken = x;
        broken[bad] = value;
        CHECK(!kernels.range(broken.data(), stride, n).within(T(-50), largest));
        CHECK(!kernels.pack(to.data(), broken.data(), stride, n, mean, inverse).within(T(-50), largest));
        CHECK(!kernels.check_next(broken.data(), stride, y.data(), n, offset, scale, T(-50), largest));
    }
    y[bad / static_cast<std::size_t>(stride)] = std::numeric_limits<float>::quiet_NaN();
    CHECK(!kernels.check_next(x.data(), stride, y.data(), n, offset, scale, -largest, largest));
    CHECK(!kernels.check_next(nullptr, stride, y.data(), n, offset, scale, -largest, largest));
}

template <class T> static void all_sets() {
    for (const auto &kernels : available<T>()) {
        std::mt19937 random(5); // the same numbers for each
        for (const std::int64_t n : {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 100, 257})
            for (const std::int64_t stride : {1, 2, 5})
                compare(kernels, random, n, stride);
    }
}

int main() {
    all_sets<float>();
    all_sets<double>();
    return finish();
}
