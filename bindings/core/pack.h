// The input pass: the caller's fields, checked, normalised, dense float32.
#pragma once

#include "guard.h"
#include "tally.h"
#include "workspace.h"

namespace surrogate::core {

/// What the input pass does to each channel; made at open.
class InputPass {
  public:
    InputPass(const Manifest &manifest, const GuardSpec &guards);

    struct Result {
        const float *data; // (B, frames * C, cells), newest frame first; NULL if policy rejects a value: reading
                           // stopped at its channel
        bool copied;       // false: the caller's own memory
    };
    /// Read the frames (newest first) once, normalise them and add to `tally` what the guards decide by.
    Result run(const std::vector<State> &frames, Tally &tally, Buffer &buffer, std::int64_t &allocations) const;
    /// The same of one state, written to `to` (frames * C, cells) to the end, whatever is refused.
    void run_whole(const std::vector<State> &frames, Tally &tally, float *to) const;
    /// Fill cell and value of an offence of 'finite' or 'bounds', if one of the frames holds such a value.
    void locate(Offence &offence, const std::vector<State> &frames) const;

  private:
    template <class T> struct Step {
        T mean, inverse;
        Limits<T> limits, range; // range: trained
    };
    /// What is summed of a channel, in double.
    struct Sums {
        std::size_t field = 0, component = 0;
        bool moments = false, outside = false, absolute = false;
        double centre = 0;
        bool any() const { return moments || outside; }
    };
    template <class T> Step<T> step(const FieldSpec &field, std::size_t index, std::size_t component) const;
    Sums sums(const FieldSpec &field, std::size_t index, std::size_t component) const;
    bool run_frames(const std::vector<State> &frames, bool stops, Tally &tally, float *to) const;
    template <class T>
    bool run_channels(const State &input, const std::vector<Step<T>> &steps, bool newest, bool stops, Tally &tally,
                      float *to, std::int64_t gap) const;
    template <class T>
    bool run_channel(const Channel &channel, const char *from, const std::int64_t *shape, const Step<T> &step,
                     const Sums &sums, bool stops, ChannelSums &totals, Bounds &all, float *to) const;
    bool refuses(ChannelSums &totals, const State &input, std::int64_t batch, std::size_t channel) const;
    double value(const State &input, std::int64_t batch, std::size_t channel, const std::int64_t *cell) const;
    int judge_value(double found, std::size_t channel) const;
    bool in_place(const State &input) const;

    const Manifest &manifest_;
    const GuardSpec &guards_;
    bool identity_ = true; // no channel is normalised
    bool keeps_ = false;   // some values beyond their limits are let pass
    std::vector<Sums> sums_;
    std::vector<Step<float>> single_;
    std::vector<Step<double>> double_;
};

} // namespace surrogate::core
