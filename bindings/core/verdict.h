// Deciding over sums: pure functions of a tally, so that ranks which share totals come to the same verdict.
#pragma once

#include "guard.h"
#include "tally.h"

namespace surrogate::core {

struct Verdict {
    Offence refused;        // reason NONE: accepted. Values and cells of 'finite' and 'bounds' are not in it
    std::uint32_t kept = 0; // bit (1 << reason): broken, and let pass by policy 'keep'
};

/// The decisions of one model's guards; made at open.
class Judge {
  public:
    Judge(const Manifest &manifest, const GuardSpec &guards);

    /// Of the input's sums.
    Verdict input(const Tally &totals) const;
    /// Of the predicted frame's sums.
    Verdict output(const Tally &totals) const;
    /// Of an ensemble: spread[batch * channels + channel] is the rms over cells of the standard deviation over members.
    Verdict spread(const double *spread, std::int64_t batch) const;
    /// Values that policy 'clip' changed, and channels that policy 'project' shifted.
    std::int64_t clipped(const Tally &totals) const;
    std::int64_t projections(const Tally &totals) const;

  private:
    struct Part { // one channel of the state
        std::size_t field;
        int component;
    };
    /// Look at every channel of every state; the worst that is not in `allowed` breaks `guard`.
    template <class Measure>
    void look(Verdict &verdict, std::int64_t batch, Guard guard, int reason, Bounds allowed, Measure measure) const;
    /// Whether any cell was counted.
    void count(Verdict &verdict, const Tally &totals, Guard guard, int reason, double ChannelSums::*cells) const;

    const Manifest &manifest_;
    const GuardSpec &guards_;
    std::vector<Part> parts_;
};

} // namespace surrogate::core
