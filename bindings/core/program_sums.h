// What the guards need of a program's output: sums in double, and the largest magnitude, in one reading.
#pragma once

#include "sums.h"

namespace surrogate::core {

/// The largest |y| of n cells; NaN if one is NaN.
float largest_magnitude(const float *y, std::int64_t n);

/// Sums of y and y^2 over n cells, cell i to lane i % LANES; returns largest_magnitude.
float add_program(const float *y, std::int64_t n, MomentSums &sums);

} // namespace surrogate::core
