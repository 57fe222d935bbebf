// Passes made by the engine, for fields that it can reach and we cannot: those in CUDA memory.
#pragma once

#include "../engines/engine.h"
#include "guard.h"
#include "tally.h"

namespace surrogate::core {

/// Describes a call's channels to the engine, and hands what it counted to the guards; made at open.
class EnginePass {
  public:
    EnginePass(const Manifest &manifest, const GuardSpec &guards);

    /// The call's channels, frames newest first; valid until the next call of this function.
    const surrogate_engine_layout &describe(const State &output, const std::vector<State> &frames);
    surrogate_engine_sums *sources() { return source_sums_.data(); } ///< [batch][history * channels]
    surrogate_engine_sums *targets() { return target_sums_.data(); } ///< [batch][predicted channels]

    /// Add what the engine counted to the sums that the guards decide by.
    void add_to(Tally &tally) const;
    /// Fill cell and value of an offence of 'finite' or 'bounds'.
    void locate(Offence &offence, Role role) const;
    /// The same layout, with what policy 'project' adds to every cell.
    const surrogate_engine_layout &with_shifts(const Tally &totals);

  private:
    struct Place { // of a target
        std::size_t field, channel;
        int component;
    };
    void add_channel(std::size_t field, int component);
    template <class T> void set_limits();
    void resize(std::int64_t batch);

    const Manifest &manifest_;
    const GuardSpec &guards_;
    const std::size_t channels_; // of one frame
    std::vector<Place> read_;    // by channel of a frame
    std::vector<Place> written_; // by target
    std::vector<surrogate_engine_source> source_;
    std::vector<surrogate_engine_target> target_;
    std::vector<surrogate_engine_sums> source_sums_, target_sums_;
    std::vector<double> shifts_;
    surrogate_engine_layout layout_{};
};

} // namespace surrogate::core
