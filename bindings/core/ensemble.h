// Several members of a stochastic model from one state: all of them, or their mean and spread.
#pragma once

#include "moments.h"
#include "output.h"

namespace surrogate::core {

/// What an ensemble's call needs beside a prediction's; made at open, its memory grows at the first call.
struct Ensemble {
    explicit Ensemble(const Manifest &manifest);

    const Manifest spread_manifest; // deviations are scaled, and neither offset nor added to the state
    const GuardSpec unguarded;
    const OutputPass spread_pass;

    std::int64_t members = 1, chunk = 1; // chunk: members in one run of the program
    bool wants_mean = false, wants_spread = false, wants_all = false;
    State spread, from, to; // from, to: the part of input and output that is at hand
    Moments moments;
    Buffer tiled, frames; // copies of a packed state; outputs of the program
};

/// `count` states of `whole` from state `first` on.
void select(State &part, const State &whole, std::int64_t first, std::int64_t count);
/// State `index` of `whole`, `count` times.
void repeat(State &part, const State &whole, std::int64_t index, std::int64_t count);

} // namespace surrogate::core
