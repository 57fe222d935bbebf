#include "program_sums.h"

#include "clones.h"

#include <cstring>

#if defined(SURROGATE_HAS_CLONES) || defined(__AVX512F__)
#include <immintrin.h>
#endif

#pragma GCC diagnostic ignored "-Wpsabi"         // vectors are passed to inlined functions only
#pragma GCC diagnostic ignored "-Wuninitialized" // in the compiler's own header of AVX-512
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

namespace surrogate::core {

namespace {

// Without the sign, floats are ordered as their bits are, with NaN above infinity: a reduction that vectorises.
constexpr std::int32_t MAGNITUDE = 0x7fffffff;

SURROGATE_INLINE float from_bits(std::int32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

SURROGATE_INLINE float largest(const float *y, std::int64_t n) {
    std::int32_t top = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        std::int32_t bits;
        std::memcpy(&bits, y + i, sizeof bits);
        bits &= MAGNITUDE;
        top = bits > top ? bits : top;
    }
    return from_bits(top);
}

/// The rest of a channel: fewer cells than lanes.
SURROGATE_INLINE void add_rest(const float *y, std::int64_t n, MomentSums &sums) {
    for (std::int64_t k = 0; k < n; ++k) {
        const double value = static_cast<double>(y[k]);
        sums.first.lane[k] += value;
        sums.second.lane[k] += value * value;
    }
}

// Four doubles: wider ones would be converted element by element where registers are not as wide.
using Vector = double __attribute__((vector_size(32)));
constexpr int WIDTH = 4, PARTS = LANES / WIDTH;

SURROGATE_INLINE float add_any(const float *y, std::int64_t n, MomentSums &sums) {
    Vector first[PARTS], second[PARTS];
    std::memcpy(first, sums.first.lane, sizeof first);
    std::memcpy(second, sums.second.lane, sizeof second);
    std::int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
#pragma GCC unroll 4
        for (int k = 0; k < PARTS; ++k) {
            float __attribute__((vector_size(16))) single;
            std::memcpy(&single, y + i + WIDTH * k, sizeof single);
            const Vector value = __builtin_convertvector(single, Vector);
            first[k] += value;
            second[k] += value * value;
        }
    std::memcpy(sums.first.lane, first, sizeof first);
    std::memcpy(sums.second.lane, second, sizeof second);
    add_rest(y + i, n - i, sums);
    return largest(y, n);
}

// With AVX-512 by hand, as compilers convert in halves and take twice as long. The square of a float is exact in
// double: that it is fused with the addition changes no bit.
#if defined(SURROGATE_HAS_CLONES) || defined(__AVX512F__)
SURROGATE_TARGET("avx512f") float add(const float *y, std::int64_t n, MomentSums &sums) {
    constexpr int HALF = LANES / 2;
    __m512d first = _mm512_load_pd(sums.first.lane), first_high = _mm512_load_pd(sums.first.lane + HALF);
    __m512d second = _mm512_load_pd(sums.second.lane), second_high = _mm512_load_pd(sums.second.lane + HALF);
    const __m512i magnitude = _mm512_set1_epi32(MAGNITUDE);
    __m512i top = _mm512_setzero_si512();
    std::int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const __m512 cells = _mm512_loadu_ps(y + i);
        const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(cells));
        const __m512d high = _mm512_cvtps_pd(_mm256_loadu_ps(y + i + HALF));
        first = _mm512_add_pd(first, low);
        first_high = _mm512_add_pd(first_high, high);
        second = _mm512_fmadd_pd(low, low, second);
        second_high = _mm512_fmadd_pd(high, high, second_high);
        top = _mm512_max_epi32(top, _mm512_and_si512(_mm512_castps_si512(cells), magnitude));
    }
    _mm512_store_pd(sums.first.lane, first);
    _mm512_store_pd(sums.first.lane + HALF, first_high);
    _mm512_store_pd(sums.second.lane, second);
    _mm512_store_pd(sums.second.lane + HALF, second_high);
    add_rest(y + i, n - i, sums);
    const float of_rest = largest(y + i, n - i), of_most = from_bits(_mm512_reduce_max_epi32(top));
    return of_most >= of_rest || of_most != of_most ? of_most : of_rest; // NaN stays
}
#endif
#if defined(SURROGATE_HAS_CLONES)
SURROGATE_TARGET("avx2") float add(const float *y, std::int64_t n, MomentSums &sums) {
    return add_any(y, n, sums);
}
#endif
#if defined(SURROGATE_HAS_CLONES) || !defined(__AVX512F__)
SURROGATE_TARGET("default") float add(const float *y, std::int64_t n, MomentSums &sums) {
    return add_any(y, n, sums);
}
#endif

} // namespace

SURROGATE_CLONES float largest_magnitude(const float *y, std::int64_t n) {
    return largest(y, n);
}

float add_program(const float *y, std::int64_t n, MomentSums &sums) {
    return add(y, n, sums);
}

} // namespace surrogate::core
