#include "sums.h"

#include "clones.h"

#include <cmath>
#include <cstring>

#pragma GCC diagnostic ignored "-Wpsabi" // vectors are passed to inlined functions only

namespace surrogate::core {

namespace {

// Half the lanes. The compiler maps it to what the instruction set has, element by element.
using Vector = double __attribute__((vector_size(64)));
using Mask = std::int64_t __attribute__((vector_size(64)));
constexpr int HALF = LANES / 2;

SURROGATE_INLINE Vector load(const double *x) {
    Vector value;
    std::memcpy(&value, x, sizeof value);
    return value;
}

SURROGATE_INLINE Vector load(const float *x) {
    float __attribute__((vector_size(32))) value;
    std::memcpy(&value, x, sizeof value);
    return __builtin_convertvector(value, Vector);
}

SURROGATE_INLINE void store(double *to, const Vector &value) {
    std::memcpy(to, &value, sizeof value);
}

SURROGATE_INLINE Vector all(double value) {
    return Vector{value, value, value, value, value, value, value, value};
}

/// Sums of half the lanes, in registers over a row.
struct Half {
    Vector first, second, outside, absolute;
};

struct Range {
    Vector centre, lower, upper;
};

template <bool Outside, bool Absolute> SURROGATE_INLINE void add(Half &sums, const Vector &x, const Range &range) {
    const Vector d = x - range.centre;
    sums.first += d;
    sums.second += d * d;
    if (Outside)
        sums.outside += ((x >= range.lower) & (x <= range.upper)) ? Vector{} : all(1.0);
    if (Absolute) {
        const Mask bits = reinterpret_cast<Mask>(x) & std::int64_t{0x7fffffffffffffff};
        sums.absolute += reinterpret_cast<Vector>(bits);
    }
}

template <bool Outside, bool Absolute>
SURROGATE_INLINE Half begin(const Moments &moments, const Lanes *outside, const Lanes *absolute, int at) {
    return {load(moments.first.lane + at), load(moments.second.lane + at), Outside ? load(outside->lane + at) : Vector{},
            Absolute ? load(absolute->lane + at) : Vector{}};
}

template <bool Outside, bool Absolute>
SURROGATE_INLINE void end(const Half &half, Moments &moments, Lanes *outside, Lanes *absolute, int at) {
    store(moments.first.lane + at, half.first);
    store(moments.second.lane + at, half.second);
    if (Outside)
        store(outside->lane + at, half.outside);
    if (Absolute)
        store(absolute->lane + at, half.absolute);
}

/// The rest of a row: fewer cells than lanes.
template <bool Outside, bool Absolute, class T>
SURROGATE_INLINE void add_rest(const T *x, std::int64_t stride, std::int64_t n, double centre, double lower,
                               double upper, Moments &moments, Lanes *outside, Lanes *absolute) {
    for (std::int64_t k = 0; k < n; ++k) {
        const double value = static_cast<double>(x[k * stride]), d = value - centre;
        moments.first.lane[k] += d;
        moments.second.lane[k] += d * d;
        if (Outside)
            outside->lane[k] += value >= lower && value <= upper ? 0.0 : 1.0;
        if (Absolute)
            absolute->lane[k] += std::fabs(value);
    }
}

template <bool Outside, bool Absolute, class T>
SURROGATE_INLINE void add_row(const T *x, std::int64_t stride, std::int64_t n, double centre, double lower,
                              double upper, Moments &moments, Lanes *outside, Lanes *absolute) {
    const Range range{all(centre), all(lower), all(upper)};
    Half low = begin<Outside, Absolute>(moments, outside, absolute, 0);
    Half high = begin<Outside, Absolute>(moments, outside, absolute, HALF);
    std::int64_t i = 0;
    if (stride == 1)
        for (; i + LANES <= n; i += LANES) {
            add<Outside, Absolute>(low, load(x + i), range);
            add<Outside, Absolute>(high, load(x + i + HALF), range);
        }
    else
        for (; i + LANES <= n; i += LANES) {
            T gathered[LANES];
            for (int k = 0; k < LANES; ++k)
                gathered[k] = x[(i + k) * stride];
            add<Outside, Absolute>(low, load(gathered), range);
            add<Outside, Absolute>(high, load(gathered + HALF), range);
        }
    end<Outside, Absolute>(low, moments, outside, absolute, 0);
    end<Outside, Absolute>(high, moments, outside, absolute, HALF);
    add_rest<Outside, Absolute>(x + i * stride, stride, n - i, centre, lower, upper, moments, outside, absolute);
}

template <class T> SURROGATE_INLINE T clip(T u, T lower, T upper) {
    return u < lower ? lower : u > upper ? upper : u;
}

template <class T>
SURROGATE_INLINE void add_differences(const T *x, std::int64_t stride, const float *y, std::int64_t n, bool increment,
                                      T offset, T scale, T lower, T upper, Moments &sums, Lanes &clipped) {
    for (std::int64_t i = 0; i < n; i += LANES) {
        const int count = n - i < LANES ? static_cast<int>(n - i) : LANES;
        for (int k = 0; k < count; ++k) {
            const T from = x[(i + k) * stride], jump = offset + scale * static_cast<T>(y[i + k]);
            const T u = increment ? from + jump : jump;
            const double d = static_cast<double>(clip(u, lower, upper)) - static_cast<double>(from);
            sums.first.lane[k] += d;
            sums.second.lane[k] += d * d;
            clipped.lane[k] += u < lower || u > upper ? 1.0 : 0.0;
        }
    }
}

} // namespace

#define SURROGATE_SUMS(T)                                                                                              \
    SURROGATE_CLONES void add_moments(const T *x, std::int64_t stride, std::int64_t n, double centre, Moments &sums) { \
        add_row<false, false>(x, stride, n, centre, 0.0, 0.0, sums, nullptr, nullptr);                                 \
    }                                                                                                                  \
    SURROGATE_CLONES void add_range(const T *x, std::int64_t stride, std::int64_t n, double centre, double lower,      \
                                    double upper, InputSums &sums) {                                                   \
        add_row<true, false>(x, stride, n, centre, lower, upper, sums.moments, &sums.outside, nullptr);                \
    }                                                                                                                  \
    SURROGATE_CLONES void add_all(const T *x, std::int64_t stride, std::int64_t n, double centre, double lower,        \
                                  double upper, InputSums &sums) {                                                     \
        add_row<true, true>(x, stride, n, centre, lower, upper, sums.moments, &sums.outside, &sums.absolute);          \
    }                                                                                                                  \
    SURROGATE_CLONES void add_change(const T *x, std::int64_t stride, const float *y, std::int64_t n, bool increment,  \
                                     T offset, T scale, T lower, T upper, Moments &sums, Lanes &clipped) {             \
        add_differences(x, stride, y, n, increment, offset, scale, lower, upper, sums, clipped);                       \
    }

SURROGATE_SUMS(float)
SURROGATE_SUMS(double)

} // namespace surrogate::core
