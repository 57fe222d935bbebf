#include "moments.h"

#include <algorithm>
#include <cmath>

namespace surrogate::core {

void Moments::start(std::int64_t size, std::int64_t &allocations) {
    constexpr std::int64_t FLOATS = sizeof(double) / sizeof(float);
    mean_ = reinterpret_cast<double *>(storage_.get(2 * FLOATS * size, allocations));
    squares_ = mean_ + size;
    size_ = size;
    std::fill(mean_, mean_ + 2 * size, 0.0);
}

void Moments::add(std::int64_t first, std::int64_t count, std::int64_t members, const float *values) {
    double *mean = mean_ + first, *squares = squares_ + first;
    const auto n = static_cast<double>(members);
    for (std::int64_t i = 0; i < count; ++i) {
        const double before = values[i] - mean[i];
        mean[i] += before / n;
        squares[i] += before * (values[i] - mean[i]);
    }
}

void Moments::write_mean(float *to) const {
    for (std::int64_t i = 0; i < size_; ++i)
        to[i] = static_cast<float>(mean_[i]);
}

void Moments::write_deviation(float *to, std::int64_t members) const {
    const auto divisor = static_cast<double>(members - 1);
    for (std::int64_t i = 0; i < size_; ++i)
        to[i] = static_cast<float>(std::sqrt(squares_[i] / divisor));
}

double Moments::rms_deviation(std::int64_t first, std::int64_t count, std::int64_t members) const {
    double sum = 0;
    for (std::int64_t i = first; i < first + count; ++i)
        sum += squares_[i];
    return std::sqrt(sum / (static_cast<double>(members - 1) * static_cast<double>(count)));
}

} // namespace surrogate::core
