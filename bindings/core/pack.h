// The input pass: the caller's fields, checked, normalised, dense float32.
#pragma once

#include "guard.h"
#include "workspace.h"

#include <optional>

namespace surrogate::core {

/// What the input pass does to each channel; made at open.
class InputPass {
  public:
    InputPass(const Manifest &manifest, const GuardSpec &guards);

    struct Result {
        const float *data; // (B, frames * C, cells), NULL if the input was refused
        bool copied;       // false: the caller's own memory
    };
    /// Read the `frames` of a model's history once. Refused: data is NULL and the offence is found by `find`.
    Result run(const std::vector<State> &frames, Buffer &buffer, std::int64_t &allocations) const;
    Offence find(const std::vector<State> &frames) const;

  private:
    template <class T> struct Step {
        T mean, inverse;
        Limits<T> limits;
    };
    template <class T> Step<T> step(const FieldSpec &field, std::size_t index, std::size_t component) const;
    template <class T>
    bool run_channels(const State &input, const std::vector<Step<T>> &steps, float *to, std::int64_t gap) const;
    bool find_in(Offence &offence, const State &input) const;
    bool in_place(const State &input) const;

    const Manifest &manifest_;
    const GuardSpec &guards_;
    bool identity_ = true; // no channel is normalised
    std::vector<Step<float>> single_;
    std::vector<Step<double>> double_;
};

} // namespace surrogate::core
