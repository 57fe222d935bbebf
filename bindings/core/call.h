// One prediction on its way through the stages: prepare, pack, run, judge, settle.
#pragma once

#include "guard.h"
#include "tally.h"

namespace surrogate::core {

/// What a call was given and how far it got. Made once a model, filled at every call; the arrays are the caller's.
struct Call {
    explicit Call(const Manifest &manifest)
        : output(manifest), frames(static_cast<std::size_t>(manifest.history), State(manifest)) {
        parameters.reserve(static_cast<std::size_t>(manifest.parameter_columns()));
    }

    State output;                   // where the frame goes
    std::vector<State> frames;      // what the program reads, newest first: one a frame of the model's history
    surrogate_step_options step{};  // without parameters and caption, which are the caller's: below is what they said
    std::vector<double> parameters; // as the program reads them: scalars, then the caption's token ids
    std::int64_t steps = 0;         // evaluations of the sampler's net; 0: the model has no sampler
    bool in_engine = false;         // packed, counted and written by the engine: `program` stays NULL
    std::int64_t states = 1;        // that are predicted: of the batch, times members
    const float *program = nullptr; // after `run`: the program's output (B, C_out, cells)
    Offence offence;                // after `judge`: why the frame is refused; reason NONE: it is not

    Tally tally;             // what the guards decide by
    bool has_totals = false; // the sums are of more ranks than this one
    std::uint32_t kept = 0;  // bit (1 << reason): guards that were broken and let the state pass

    /// Forget the outcome of the call before.
    void begin() {
        program = nullptr;
        offence = Offence();
        kept = 0;
        has_totals = false;
    }
    /// Keep the options of the step, whose parameters were checked.
    void keep(const surrogate_step_options &given, const std::vector<double> &checked) {
        step = given;
        step.parameters = nullptr;
        step.caption = nullptr;
        parameters = checked;
    }
    const State &input() const { return frames.front(); }
    bool accepted() const { return offence.reason == SURROGATE_REASON_NONE; }
};

} // namespace surrogate::core
