// The output passes: look at the predicted frame and sum, then write it once.
#pragma once

#include "guard.h"
#include "sums.h"
#include "tally.h"

namespace surrogate::core {

/// Forms the next frame from the caller's fields and the program's output (B, C_out, cells); made at open.
class OutputPass {
  public:
    OutputPass(const Manifest &manifest, const GuardSpec &guards);

    /// Add to `tally` what the guards decide the frame by, up to the first channel with a value that policy rejects.
    /// Writes nothing else.
    void look(const State &input, const float *program, Tally &tally) const;
    /// Fill cell and value of an offence of 'finite' or 'bounds', if this frame holds one.
    void locate(Offence &offence, const State &input, const float *program) const;
    /// Write the frame, clipped and projected as policies say; `output` may be `input`. totals: of the whole domain.
    void write(const State &output, const State &input, const float *program, const Tally &totals) const;
    /// Whether any predicted channel of `output` overlaps these floats.
    bool writes_into(const State &output, const float *program, std::int64_t count) const;

  private:
    template <class T> struct Step {
        std::size_t field, channel; // of the state
        int component;
        bool increment, summed, projected; // summed: the change is needed
        T offset, scale;
        Limits<T> limits, clip;
    };
    template <class T> const std::vector<Step<T>> &steps() const;
    template <class T> void add_step(std::vector<Step<T>> &steps, std::size_t field, int component) const;
    template <class T> static bool keeps_limits(const Step<T> &step, const Bounds &range, float largest);
    template <class T>
    bool check_cells(const Step<T> &step, const State &input, std::int64_t batch, const float *program) const;
    template <class T>
    void sum_change(const Step<T> &step, const State &input, std::int64_t batch, const float *program,
                    ChannelSums &totals) const;
    template <class T>
    bool look_at(const Step<T> &step, const State &input, std::int64_t batch, const float *program, ChannelSums &totals,
                 const Bounds &range) const;
    template <class T> void look_as(const State &input, const float *program, Tally &tally) const;
    template <class T>
    bool refuses(const Step<T> &step, const State &input, std::int64_t batch, const float *program,
                 ChannelSums &totals) const;
    template <class T>
    static double value(const Step<T> &step, const State &input, std::int64_t batch, const float *program,
                        const std::int64_t *cell);
    template <class T> void locate_as(Offence &offence, const State &input, const float *program) const;
    template <class T>
    void write_as(const State &output, const State &input, const float *program, const Tally &totals) const;

    const Manifest &manifest_;
    const GuardSpec &guards_;
    std::vector<Step<float>> single_; // one for each output channel
    std::vector<Step<double>> double_;
};

} // namespace surrogate::core
