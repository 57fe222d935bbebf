// The tensors that a program reads: the state, then scalar parameters, then noise.
#pragma once

#include "manifest.h"
#include "noise.h"
#include "workspace.h"

#include "../engines/engine.h"

namespace surrogate::core {

/// Which random numbers the states of a batch draw.
struct Draws {
    std::int64_t member = 0, next = 1;     // of state 0, and what is added from state to state
    const std::int64_t *origins = nullptr; // (B, spatial rank): where each begins; NULL: where the step says
};

/// Made at open; holds the memory of parameters and noise from call to call.
class ProgramInputs {
  public:
    explicit ProgramInputs(const Manifest &manifest);

    /// Check what a step says of `batch` states of `shape` against the manifest, and keep it. Throws ERROR_PARAMETER,
    /// ERROR_ARGUMENT.
    void prepare(const surrogate_step_options &step, const std::int64_t *shape, std::int64_t batch,
                 std::int64_t &allocations);

    /// Of the last step, scalars in the manifest's order and then the caption's token ids; the presets before the
    /// first.
    const std::vector<double> &parameters() const { return row_; }

    /// The tensors of `batch` states, packed (B, history * C, cells of `shape`). Valid until the next call.
    const std::vector<surrogate_tensor> &fill(const float *packed, const std::int64_t *shape, std::int64_t batch,
                                              const Draws &draws, std::int64_t &allocations);

  private:
    void prepare_parameters(const surrogate_step_options &step, std::int64_t batch, std::int64_t &allocations);
    std::size_t given_parameters(const surrogate_step_options &step) const;

    const Manifest &manifest_;
    std::vector<double> row_; // of parameters_
    Buffer parameters_;
    std::vector<Buffer> noise_; // one a noise input
    NoiseKey key_;
    Domain domain_;
    std::vector<surrogate_tensor> tensors_;
};

} // namespace surrogate::core
