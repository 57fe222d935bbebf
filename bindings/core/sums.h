// Sums over one row of cells, in double, in a fixed order: the same bits for every instruction set and memory layout.
#pragma once

#include <cstdint>

namespace surrogate::core {

/// Cell i of a row is added to lane i % LANES. Rows whose length is a multiple of LANES may be merged.
constexpr int LANES = 16;

/// Cells that are summed right after they were read, from the first cache.
constexpr std::int64_t PIECE = 128 * LANES;

/// One sum, kept over the rows of a channel.
struct alignas(64) Lanes {
    double lane[LANES] = {};
    double total() const {
        double sum[LANES];
        for (int k = 0; k < LANES; ++k)
            sum[k] = lane[k];
        for (int half = LANES / 2; half > 0; half /= 2)
            for (int k = 0; k < half; ++k)
                sum[k] += sum[k + half];
        return sum[0];
    }
};

/// Sums of d and d^2 with d = x - centre.
struct MomentSums {
    Lanes first, second;
};

void add_moments(const float *x, std::int64_t stride, std::int64_t n, double centre, MomentSums &sums);
void add_moments(const double *x, std::int64_t stride, std::int64_t n, double centre, MomentSums &sums);

/// MomentSums, and the sum of |x|.
void add_magnitude(const float *x, std::int64_t stride, std::int64_t n, double centre, MomentSums &sums, Lanes &absolute);
void add_magnitude(const double *x, std::int64_t stride, std::int64_t n, double centre, MomentSums &sums, Lanes &absolute);

/// Cells of x not in lower ... upper (NaN is not), of at most PIECE.
std::int64_t count_outside(const float *x, std::int64_t stride, std::int64_t n, float lower, float upper);
std::int64_t count_outside(const double *x, std::int64_t stride, std::int64_t n, double lower, double upper);

/// MomentSums of the change from x to the next frame u, formed as write_next does and then put into lower ... upper.
/// `increment` false: u does not hold x. `clipped`: cells that were not in lower ... upper.
void add_change(const float *x, std::int64_t stride, const float *y, std::int64_t n, bool increment, float offset,
                float scale, float lower, float upper, MomentSums &sums, Lanes &clipped);
void add_change(const double *x, std::int64_t stride, const float *y, std::int64_t n, bool increment, double offset,
                double scale, double lower, double upper, MomentSums &sums, Lanes &clipped);

} // namespace surrogate::core
