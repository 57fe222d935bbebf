// What is taken of a program's output has the same bits for every instruction set, and the values of long double.
#include "check.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

// program_sums.cpp is compiled once for each of these, with `core` renamed; the types are the same but for their names.
#define core core_base
#include "program_sums.h"
#undef core
namespace base = surrogate::core_base;
#define DECLARE(set)                                                                                                   \
    namespace surrogate::core_##set {                                                                                  \
        struct MomentSums;                                                                                             \
        float add_program(const float *, std::int64_t, MomentSums &);                                                  \
        float largest_magnitude(const float *, std::int64_t);                                                          \
    }
DECLARE(avx2)
DECLARE(avx512f)

struct Set {
    float (*add)(const float *, std::int64_t, base::MomentSums &);
    float (*largest)(const float *, std::int64_t);
};
#define SET(set)                                                                                                       \
    {                                                                                                                  \
        [](const float *y, std::int64_t n, base::MomentSums &sums) {                                                   \
            return surrogate::core_##set::add_program(y, n,                                                            \
                                                      reinterpret_cast<surrogate::core_##set::MomentSums &>(sums));    \
        },                                                                                                             \
            surrogate::core_##set::largest_magnitude                                                                   \
    }

static std::vector<Set> available() {
    std::vector<Set> sets = {SET(base)};
    if (__builtin_cpu_supports("avx2"))
        sets.push_back(SET(avx2));
    if (__builtin_cpu_supports("avx512f"))
        sets.push_back(SET(avx512f));
    return sets;
}

static std::vector<float> values(std::int64_t n, float scale) {
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    std::vector<float> y(static_cast<std::size_t>(n));
    for (float &value : y)
        value = scale * normal(random);
    return y;
}

/// Of any size of value: subnormal floats and the largest ones have exact squares in double.
static void sums_are_those_of_long_double(std::int64_t n, float scale) {
    const std::vector<float> y = values(n, scale);
    long double first = 0, second = 0, magnitudes = 0;
    float largest = 0;
    for (const float value : y) {
        first += value;
        magnitudes += std::abs(value);
        second += static_cast<long double>(value) * value;
        largest = std::max(largest, std::abs(value));
    }
    base::MomentSums expected;
    available()[0].add(y.data(), n, expected);
    CHECK(std::abs(expected.first.total() - static_cast<double>(first)) <= 1e-14 * static_cast<double>(magnitudes));
    CHECK(std::abs(expected.second.total() - static_cast<double>(second)) <= 1e-14 * static_cast<double>(second));
    for (const Set &set : available()) {
        base::MomentSums sums;
        CHECK(set.add(y.data(), n, sums) == largest);
        CHECK(set.largest(y.data(), n) == largest);
        CHECK(std::memcmp(&sums, &expected, sizeof sums) == 0);
    }
}

static void a_value_that_is_not_finite_is_the_largest(std::int64_t n) {
    const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
    for (const std::int64_t at : {std::int64_t{0}, n / 2, n - 1})
        for (const float bad : {nan, -nan, infinity, -infinity})
            for (const Set &set : available()) {
                std::vector<float> y = values(n, 1);
                y[static_cast<std::size_t>(at)] = bad;
                base::MomentSums sums;
                for (const float found : {set.add(y.data(), n, sums), set.largest(y.data(), n)})
                    CHECK(std::isnan(bad) ? std::isnan(found) : found == infinity);
            }
}

int main() {
    for (const std::int64_t n : {1, 7, 15, 16, 17, 33, 48, 64, 257, 4096}) {
        for (const float scale : {1.0F, 1e-40F, 1e37F})
            sums_are_those_of_long_double(n, scale);
        a_value_that_is_not_finite_is_the_largest(n);
    }
    return finish();
}
