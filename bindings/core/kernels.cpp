#include "kernels.h"

#include "clones.h"

#include <cstring>
#include <limits>

namespace surrogate::core {

namespace {

// An accumulator as wide as the element, so that the comparison's mask is used as it is.
template <class T> struct Mask;
template <> struct Mask<float> { using type = std::int32_t; };
template <> struct Mask<double> { using type = std::int64_t; };

// The order of floats as that of integers, whose reductions vectorise and have one result in any order: the bits, those
// of negative values but the sign inverted. NaN comes before -infinity or after infinity. The inverse is the same.
template <class T> SURROGATE_INLINE typename Mask<T>::type flip(typename Mask<T>::type bits) {
    using Bits = typename Mask<T>::type;
    return bits ^ ((bits >> (8 * sizeof(Bits) - 1)) & std::numeric_limits<Bits>::max());
}

template <class T> struct Extremes {
    using Bits = typename Mask<T>::type;
    Bits least = std::numeric_limits<Bits>::max(), most = std::numeric_limits<Bits>::min();
    __attribute__((always_inline)) void add(T value) {
        Bits bits;
        std::memcpy(&bits, &value, sizeof bits);
        const Bits key = flip<T>(bits);
        least = key < least ? key : least;
        most = key > most ? key : most;
    }
    __attribute__((always_inline)) Range<T> range() const {
        const Bits lower = flip<T>(least), upper = flip<T>(most);
        Range<T> range;
        std::memcpy(&range.lower, &lower, sizeof lower);
        std::memcpy(&range.upper, &upper, sizeof upper);
        return range;
    }
};

template <class T> SURROGATE_INLINE Range<T> extremes(const T *x, std::int64_t stride, std::int64_t n) {
    Extremes<T> found;
    if (stride == 1)
        for (std::int64_t i = 0; i < n; ++i)
            found.add(x[i]);
    else
        for (std::int64_t i = 0; i < n; ++i)
            found.add(x[i * stride]);
    return found.range();
}

template <class T>
SURROGATE_INLINE Range<T> pack(float *__restrict to, const T *__restrict x, std::int64_t stride, std::int64_t n, T mean,
                               T inverse) {
    Extremes<T> found;
    if (stride == 1)
        for (std::int64_t i = 0; i < n; ++i) {
            found.add(x[i]);
            to[i] = static_cast<float>((x[i] - mean) * inverse);
        }
    else
        for (std::int64_t i = 0; i < n; ++i) {
            const T value = x[i * stride];
            found.add(value);
            to[i] = static_cast<float>((value - mean) * inverse);
        }
    return found.range();
}

template <class T> SURROGATE_INLINE T increment(float y, T offset, T scale) {
    return offset + scale * static_cast<T>(y);
}

template <class T>
SURROGATE_INLINE bool check_frame(const float *y, std::int64_t n, T offset, T scale, T lower, T upper) {
    typename Mask<T>::type bad = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        const T u = increment(y[i], offset, scale);
        bad |= !(u >= lower) | !(u <= upper);
    }
    return bad == 0;
}

template <class T>
SURROGATE_INLINE bool check_sum(const T *x, std::int64_t stride, const float *y, std::int64_t n, T offset, T scale,
                                T lower, T upper) {
    typename Mask<T>::type bad = 0;
    if (stride == 1)
        for (std::int64_t i = 0; i < n; ++i) {
            const T u = x[i] + increment(y[i], offset, scale);
            bad |= !(u >= lower) | !(u <= upper);
        }
    else
        for (std::int64_t i = 0; i < n; ++i) {
            const T u = x[i * stride] + increment(y[i], offset, scale);
            bad |= !(u >= lower) | !(u <= upper);
        }
    return bad == 0;
}

// ivdep: u is x element by element, or shares nothing with it; y is never written.
template <class T>
SURROGATE_INLINE void write(T *u, std::int64_t u_stride, const T *x, std::int64_t stride, const float *y,
                            std::int64_t n, T offset, T scale) {
    if (!x) {
#pragma GCC ivdep
        for (std::int64_t i = 0; i < n; ++i)
            u[i * u_stride] = increment(y[i], offset, scale);
    } else if (u_stride == 1 && stride == 1) {
        // first up to where u begins a cache line: stores that cross two of them cost twice
        constexpr auto line = std::uintptr_t{64};
        const auto before =
            static_cast<std::int64_t>((line - reinterpret_cast<std::uintptr_t>(u) % line) % line / sizeof(T));
        const std::int64_t head = before < n ? before : n;
        for (std::int64_t i = 0; i < head; ++i)
            u[i] = x[i] + increment(y[i], offset, scale);
#pragma GCC ivdep
        for (std::int64_t i = head; i < n; ++i)
            u[i] = x[i] + increment(y[i], offset, scale);
    } else {
#pragma GCC ivdep
        for (std::int64_t i = 0; i < n; ++i)
            u[i * u_stride] = x[i * stride] + increment(y[i], offset, scale);
    }
}

// A NaN stays: neither comparison holds.
template <class T> SURROGATE_INLINE T clip(T u, T lower, T upper) {
    return u < lower ? lower : u > upper ? upper : u;
}

template <class T>
SURROGATE_INLINE void write_clip(T *u, std::int64_t u_stride, const T *x, std::int64_t stride, const float *y,
                                 std::int64_t n, T offset, T scale, T lower, T upper, T shift) {
    if (!x) {
#pragma GCC ivdep
        for (std::int64_t i = 0; i < n; ++i)
            u[i * u_stride] = clip(increment(y[i], offset, scale), lower, upper) - shift;
    } else {
#pragma GCC ivdep
        for (std::int64_t i = 0; i < n; ++i)
            u[i * u_stride] = clip(x[i * stride] + increment(y[i], offset, scale), lower, upper) - shift;
    }
}

} // namespace

#define SURROGATE_KERNELS(T)                                                                                           \
    SURROGATE_CLONES Range<T> range_of(const T *x, std::int64_t stride, std::int64_t n) {                              \
        return extremes(x, stride, n);                                                                                 \
    }                                                                                                                  \
    SURROGATE_CLONES Range<T> pack_row(float *to, const T *x, std::int64_t stride, std::int64_t n, T mean,             \
                                       T inverse) {                                                                    \
        return pack(to, x, stride, n, mean, inverse);                                                                  \
    }                                                                                                                  \
    SURROGATE_CLONES bool check_next(const T *x, std::int64_t stride, const float *y, std::int64_t n, T offset,        \
                                     T scale, T lower, T upper) {                                                      \
        return x ? check_sum(x, stride, y, n, offset, scale, lower, upper)                                             \
                 : check_frame(y, n, offset, scale, lower, upper);                                                     \
    }                                                                                                                  \
    SURROGATE_CLONES void write_next(T *u, std::int64_t u_stride, const T *x, std::int64_t stride, const float *y,     \
                                     std::int64_t n, T offset, T scale) {                                              \
        write(u, u_stride, x, stride, y, n, offset, scale);                                                            \
    }                                                                                                                  \
    SURROGATE_CLONES void write_clipped(T *u, std::int64_t u_stride, const T *x, std::int64_t stride, const float *y,  \
                                        std::int64_t n, T offset, T scale, T lower, T upper, T shift) {                \
        write_clip(u, u_stride, x, stride, y, n, offset, scale, lower, upper, shift);                                  \
    }

SURROGATE_KERNELS(float)
SURROGATE_KERNELS(double)

} // namespace surrogate::core
