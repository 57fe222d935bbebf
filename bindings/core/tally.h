// What guards decide by: sums over the cells of every channel, which the ranks of a domain add up.
#pragma once

#include "guard_spec.h"

#include <cstdint>
#include <vector>

namespace surrogate::core {

/// Sums over the cells of one channel of one state. Plain doubles, every one of them to be reduced by SUM.
struct ChannelSums {
    double cells;
    // cells of the input and of the predicted frame that guards 'finite' and 'bounds' refuse
    double input_not_finite, input_out_of_bounds, output_not_finite, output_out_of_bounds;
    double outside;               // cells of the input outside the trained range
    double clipped;               // cells of the frame that 'clip' changes
    double first, second;         // sums of d and d^2, d = u - the field's normalisation mean, of the input
    double absolute;              // sum of |u| of the input
    double change, change_square; // sums of d and d^2, d = u(t2) - u(t1), after clipping

    /// What policy 'project' takes from every cell, so that the integral stays.
    double mean_change() const { return change / cells; }
};
constexpr std::size_t SUMS_A_CHANNEL = 12;
static_assert(sizeof(ChannelSums) == SUMS_A_CHANNEL * sizeof(double));

/// The sums of a call: all channels of the input (condition fields too) of all its states.
class Tally {
  public:
    /// All zero for `batch` states of `channels`. `allocations` is raised by one if memory had to be allocated.
    void reset(std::int64_t batch, std::size_t channels, std::int64_t &allocations) {
        const std::size_t size = static_cast<std::size_t>(batch) * channels;
        allocations += size > sums_.capacity();
        sums_.assign(size, ChannelSums{});
        ranges_.assign(size, Bounds());
        channels_ = channels;
    }
    ChannelSums &at(std::int64_t batch, std::size_t channel) {
        return sums_[static_cast<std::size_t>(batch) * channels_ + channel];
    }
    const ChannelSums &at(std::int64_t batch, std::size_t channel) const {
        return sums_[static_cast<std::size_t>(batch) * channels_ + channel];
    }
    /// Zero what `look` at a frame has added, so that another may be looked at.
    void forget_frame() {
        for (ChannelSums &sums : sums_)
            sums.output_not_finite = sums.output_out_of_bounds = sums.clipped = sums.change = sums.change_square = 0;
    }
    /// Values of a channel of the input on this rank all lie in here; infinite where that is not known.
    Bounds &range(std::int64_t batch, std::size_t channel) {
        return ranges_[static_cast<std::size_t>(batch) * channels_ + channel];
    }
    std::int64_t batch() const { return channels_ ? static_cast<std::int64_t>(sums_.size() / channels_) : 0; }
    /// As SUMS_A_CHANNEL doubles a channel, states slowest: surrogate_predict_partials.
    double *data() { return &sums_.data()->cells; }
    std::size_t size() const { return sums_.size() * SUMS_A_CHANNEL; }

  private:
    std::vector<ChannelSums> sums_;
    std::vector<Bounds> ranges_;
    std::size_t channels_ = 0;
};

} // namespace surrogate::core
