// A communicator of one rank: the serial prediction, but for what only several ranks have.
#pragma once

#include "rejection.h"
#include "workload.h"

namespace surrogate::mpi {

/// Throws ERROR_SHAPE where `step` gives a domain that the only block, of `shape`, does not cover.
void check_covers(const surrogate_info &info, const surrogate_step_options *step, const Index &shape);

/// Seconds of a call that were counted by libsurrogate; made before it, asked after.
class SerialTimes {
  public:
    explicit SerialTimes(surrogate_model *local);
    Account since() const;

  private:
    surrogate_statistics read() const;
    surrogate_model *local_;
    const surrogate_statistics before_;
};

} // namespace surrogate::mpi
