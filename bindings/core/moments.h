// Mean and standard deviation over the members of an ensemble.
#pragma once

#include "workspace.h"

namespace surrogate::core {

/// Welford's recurrence in double, one member after the other: the numbers do not depend on how members were batched.
class Moments {
  public:
    /// Forget all members; `size` values a member.
    void start(std::int64_t size, std::int64_t &allocations);
    /// Add the next member of the values first .. first + count - 1, which has `members` members then.
    void add(std::int64_t first, std::int64_t count, std::int64_t members, const float *values);

    /// Write all means, or standard deviations with divisor members - 1, as float32.
    void write_mean(float *to) const;
    void write_deviation(float *to, std::int64_t members) const;
    /// Root mean square over values first .. first + count - 1 of the standard deviation.
    double rms_deviation(std::int64_t first, std::int64_t count, std::int64_t members) const;

  private:
    Buffer storage_; // doubles: means, then sums of squared deviations
    double *mean_ = nullptr, *squares_ = nullptr;
    std::int64_t size_ = 0;
};

} // namespace surrogate::core
