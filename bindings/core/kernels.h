// The inner loops: one row of cells, strides in elements. Each is compiled for several instruction sets and chosen
// when the library is loaded; no contraction and no reassociation, so that all give the same bits.
#pragma once

#include <cstdint>

namespace surrogate::core {

/// The smallest and the largest of some values. A NaN among them takes the place of one of the two, so that `within`
/// is false whatever the limits.
template <class T> struct Range {
    T lower, upper;
    bool within(T least, T most) const { return lower >= least && upper <= most; }
};

/// Of x.
Range<float> range_of(const float *x, std::int64_t stride, std::int64_t n);
Range<double> range_of(const double *x, std::int64_t stride, std::int64_t n);

/// to[i] = (x[i] - mean) * inverse, in x's precision; returns range_of x.
Range<float> pack_row(float *to, const float *x, std::int64_t stride, std::int64_t n, float mean, float inverse);
Range<double> pack_row(float *to, const double *x, std::int64_t stride, std::int64_t n, double mean, double inverse);

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
