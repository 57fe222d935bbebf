// The inner loops: one row of cells, strides in elements. Each is compiled for several instruction sets and chosen
// when the library is loaded; no contraction and no reassociation, so that all give the same bits.
#pragma once

#include <cstdint>

namespace surrogate::core {

/// Whether lower <= x <= upper for all cells (false for NaN).
bool check_row(const float *x, std::int64_t stride, std::int64_t n, float lower, float upper);
bool check_row(const double *x, std::int64_t stride, std::int64_t n, double lower, double upper);

/// to[i] = (x[i] - mean) * inverse, in x's precision; returns check_row of x.
bool pack_row(float *to, const float *x, std::int64_t stride, std::int64_t n, float mean, float inverse, float lower,
              float upper);
bool pack_row(float *to, const double *x, std::int64_t stride, std::int64_t n, double mean, double inverse,
              double lower, double upper);

/// Next frame: u[i] = x[i] + (offset + scale * y[i]), or offset + scale * y[i] where x is NULL.
/// check_next: whether lower <= u <= upper for all cells, without writing; write_next: writes u, which may be x.
bool check_next(const float *x, std::int64_t stride, const float *y, std::int64_t n, float offset, float scale,
                float lower, float upper);
bool check_next(const double *x, std::int64_t stride, const float *y, std::int64_t n, double offset, double scale,
                double lower, double upper);
void write_next(float *u, std::int64_t u_stride, const float *x, std::int64_t stride, const float *y, std::int64_t n,
                float offset, float scale);
void write_next(double *u, std::int64_t u_stride, const double *x, std::int64_t stride, const float *y, std::int64_t n,
                double offset, double scale);

/// write_next of a frame whose values are put into lower ... upper, and are then lowered by `shift`.
void write_clipped(float *u, std::int64_t u_stride, const float *x, std::int64_t stride, const float *y, std::int64_t n,
                   float offset, float scale, float lower, float upper, float shift);
void write_clipped(double *u, std::int64_t u_stride, const double *x, std::int64_t stride, const float *y,
                   std::int64_t n, double offset, double scale, double lower, double upper, double shift);

} // namespace surrogate::core
