// The output passes: look at the predicted frame, then write it once.
#pragma once

#include "guard.h"

namespace surrogate::core {

/// Forms the next frame from the caller's fields and the program's output (B, C_out, cells); made at open.
class OutputPass {
  public:
    OutputPass(const Manifest &manifest, const GuardSpec &guards);

    /// Whether the guards accept the frame. Writes nothing.
    bool accepted(const State &input, const float *program) const;
    Offence find(const State &input, const float *program) const;
    /// Write the frame; `output` may be `input`.
    void write(const State &output, const State &input, const float *program) const;
    /// Whether any predicted channel of `output` overlaps these floats.
    bool writes_into(const State &output, const float *program, std::int64_t count) const;

  private:
    template <class T> struct Step {
        std::size_t field, channel; // of the state
        int component;
        bool increment;
        T offset, scale;
        Limits<T> limits;
    };
    template <class T> const std::vector<Step<T>> &steps() const;
    template <class T> void add_step(std::vector<Step<T>> &steps, std::size_t field, int component) const;
    template <class T> bool accepted_as(const State &input, const float *program) const;
    template <class T> Offence find_as(const State &input, const float *program) const;
    template <class T> void write_as(const State &output, const State &input, const float *program) const;

    const Manifest &manifest_;
    const GuardSpec &guards_;
    std::vector<Step<float>> single_; // one for each output channel
    std::vector<Step<double>> double_;
};

} // namespace surrogate::core
