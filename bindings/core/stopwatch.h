// Where the time of a call goes.
#pragma once

#include <chrono>

namespace surrogate::core {

/// Adds the seconds until the end of its scope to a sum.
class Stopwatch {
  public:
    explicit Stopwatch(double &sum) : sum_(sum), start_(Clock::now()) {}
    ~Stopwatch() { sum_ += std::chrono::duration<double>(Clock::now() - start_).count(); }
    Stopwatch(const Stopwatch &) = delete;
    Stopwatch &operator=(const Stopwatch &) = delete;

  private:
    using Clock = std::chrono::steady_clock;
    double &sum_;
    Clock::time_point start_;
};

} // namespace surrogate::core
