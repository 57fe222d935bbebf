// Where the time of a call goes.
#pragma once

#include <chrono>

namespace surrogate::core {

/// Adds the seconds until the end of its scope to a sum, or to two of them: reading the clock costs tens of
/// nanoseconds.
class Stopwatch {
  public:
    explicit Stopwatch(double &sum, double *second = nullptr) : sum_(sum), second_(second), start_(Clock::now()) {}
    ~Stopwatch() {
        const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
        sum_ += seconds;
        if (second_)
            *second_ += seconds;
    }
    Stopwatch(const Stopwatch &) = delete;
    Stopwatch &operator=(const Stopwatch &) = delete;

  private:
    using Clock = std::chrono::steady_clock;
    double &sum_;
    double *second_;
    Clock::time_point start_;
};

} // namespace surrogate::core
