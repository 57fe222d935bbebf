// One prediction on its way through the stages: prepare, pack, run, judge, settle.
#pragma once

#include "guard.h"

namespace surrogate::core {

/// What a call was given and how far it got. Made once a model, filled at every call; the arrays are the caller's.
struct Call {
    explicit Call(const Manifest &manifest)
        : output(manifest), frames(static_cast<std::size_t>(manifest.history), State(manifest)) {}

    State output;                   // where the frame goes
    std::vector<State> frames;      // what the program reads, newest first: one a frame of the model's history
    surrogate_step_options step{};  // its parameters were read by `prepare`: the pointer is not used afterwards
    std::int64_t states = 1;        // that are predicted: of the batch, times members
    const float *program = nullptr; // after `run`: the program's output (B, C_out, cells)
    Offence offence;                // after `judge`: why the frame is refused; reason NONE: it is not

    const State &input() const { return frames.front(); }
    bool accepted() const { return offence.reason == SURROGATE_REASON_NONE; }
};

} // namespace surrogate::core
