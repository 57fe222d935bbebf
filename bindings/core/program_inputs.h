// The tensors that a program reads: the state, then scalar parameters, then noise.
#pragma once

#include "fields.h"
#include "noise.h"
#include "workspace.h"

#include "../engines/engine.h"

namespace surrogate::core {

/// Made at open; holds the memory of parameters and noise from call to call.
class ProgramInputs {
  public:
    explicit ProgramInputs(const Manifest &manifest);

    /// Check what a step says against the manifest and keep it. Throws ERROR_PARAMETER, ERROR_ARGUMENT.
    void prepare(const surrogate_step_options &step, const State &state, std::int64_t batch, std::int64_t &allocations);

    /// The tensors of `batch` states, packed (B, history * C, cells) on the grid of `state`. State b draws its noise as
    /// member `member` + b. Valid until the next call.
    const std::vector<surrogate_tensor> &fill(const float *packed, const State &state, std::int64_t batch,
                                              std::int64_t member, std::int64_t &allocations);

  private:
    void prepare_parameters(const surrogate_step_options &step, std::int64_t batch, std::int64_t &allocations);

    const Manifest &manifest_;
    Buffer parameters_;
    std::vector<Buffer> noise_; // one a noise input
    NoiseKey key_;
    Domain domain_;
    std::vector<surrogate_tensor> tensors_;
};

} // namespace surrogate::core
