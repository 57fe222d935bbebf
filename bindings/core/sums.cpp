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
    Vector first, second, absolute;
};

template <bool Absolute> SURROGATE_INLINE void add(Half &sums, const Vector &x, const Vector &centre) {
    const Vector d = x - centre;
    sums.first += d;
    sums.second += d * d;
    if (Absolute) {
        const Mask bits = reinterpret_cast<Mask>(x) & std::int64_t{0x7fffffffffffffff};
        sums.absolute += reinterpret_cast<Vector>(bits);
    }
}

template <bool Absolute> SURROGATE_INLINE Half begin(const MomentSums &moments, const Lanes *absolute, int at) {
    return {load(moments.first.lane + at), load(moments.second.lane + at),
            Absolute ? load(absolute->lane + at) : Vector{}};
}

template <bool Absolute> SURROGATE_INLINE void end(const Half &half, MomentSums &moments, Lanes *absolute, int at) {
    store(moments.first.lane + at, half.first);
    store(moments.second.lane + at, half.second);
    if (Absolute)
        store(absolute->lane + at, half.absolute);
}

/// The rest of a row: fewer cells than lanes.
template <bool Absolute, class T>
SURROGATE_INLINE void add_rest(const T *x, std::int64_t stride, std::int64_t n, double centre, MomentSums &moments,
                               Lanes *absolute) {
    for (std::int64_t k = 0; k < n; ++k) {
        const double value = static_cast<double>(x[k * stride]), d = value - centre;
        moments.first.lane[k] += d;
        moments.second.lane[k] += d * d;
        if (Absolute)
            absolute->lane[k] += std::fabs(value);
    }
}

template <bool Absolute, class T>
SURROGATE_INLINE void add_row(const T *x, std::int64_t stride, std::int64_t n, double centre, MomentSums &moments,
                              Lanes *absolute) {
    const Vector centres = all(centre);
    Half low = begin<Absolute>(moments, absolute, 0), high = begin<Absolute>(moments, absolute, HALF);
    std::int64_t i = 0;
    if (stride == 1)
        for (; i + LANES <= n; i += LANES) {
            add<Absolute>(low, load(x + i), centres);
            add<Absolute>(high, load(x + i + HALF), centres);
        }
    else
        for (; i + LANES <= n; i += LANES) {
            T gathered[LANES];
            for (int k = 0; k < LANES; ++k)
                gathered[k] = x[(i + k) * stride];
            add<Absolute>(low, load(gathered), centres);
            add<Absolute>(high, load(gathered + HALF), centres);
        }
    end<Absolute>(low, moments, absolute, 0);
    end<Absolute>(high, moments, absolute, HALF);
    add_rest<Absolute>(x + i * stride, stride, n - i, centre, moments, absolute);
}

// Counters as wide as the element, so that the comparison's mask is used as it is.
template <class T> struct Counter;
template <> struct Counter<float> { using type = std::int32_t; };
template <> struct Counter<double> { using type = std::int64_t; };

template <class T>
SURROGATE_INLINE std::int64_t outside(const T *x, std::int64_t stride, std::int64_t n, T lower, T upper) {
    typename Counter<T>::type count = 0;
    if (stride == 1)
        for (std::int64_t i = 0; i < n; ++i)
            count += !(x[i] >= lower) | !(x[i] <= upper);
    else
        for (std::int64_t i = 0; i < n; ++i)
            count += !(x[i * stride] >= lower) | !(x[i * stride] <= upper);
    return count;
}

template <class T> SURROGATE_INLINE T clip(T u, T lower, T upper) {
    return u < lower ? lower : u > upper ? upper : u;
}

template <class T>
SURROGATE_INLINE void add_differences(const T *x, std::int64_t stride, const float *y, std::int64_t n, bool increment,
                                      T offset, T scale, T lower, T upper, MomentSums &sums, Lanes &clipped) {
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
    SURROGATE_CLONES void add_moments(const T *x, std::int64_t stride, std::int64_t n, double centre,                  \
                                      MomentSums &sums) {                                                              \
        add_row<false>(x, stride, n, centre, sums, nullptr);                                                           \
    }                                                                                                                  \
    SURROGATE_CLONES void add_magnitude(const T *x, std::int64_t stride, std::int64_t n, double centre,                \
                                        MomentSums &sums, Lanes &absolute) {                                           \
        add_row<true>(x, stride, n, centre, sums, &absolute);                                                          \
    }                                                                                                                  \
    SURROGATE_CLONES std::int64_t count_outside(const T *x, std::int64_t stride, std::int64_t n, T lower, T upper) {   \
        return outside(x, stride, n, lower, upper);                                                                    \
    }                                                                                                                  \
    SURROGATE_CLONES void add_change(const T *x, std::int64_t stride, const float *y, std::int64_t n, bool increment,  \
                                     T offset, T scale, T lower, T upper, MomentSums &sums, Lanes &clipped) {          \
        add_differences(x, stride, y, n, increment, offset, scale, lower, upper, sums, clipped);                       \
    }

SURROGATE_SUMS(float)
SURROGATE_SUMS(double)

} // namespace surrogate::core
