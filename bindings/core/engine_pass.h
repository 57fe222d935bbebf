// Passes made by the engine, for fields that it can reach and we cannot: those in CUDA memory.
#pragma once

#include "../engines/engine.h"
#include "guard.h"

#include <optional>

namespace surrogate::core {

/// Describes a call's channels to the engine and judges the numbers that come back; made at open.
class EnginePass {
  public:
    EnginePass(const Manifest &manifest, const GuardSpec &guards);

    /// The call's channels, valid until the next call of this function.
    const surrogate_engine_layout &describe(const State &output, const State &input);

    surrogate_engine_sums *sources() { return source_sums_.data(); } ///< one an input channel
    surrogate_engine_sums *targets() { return target_sums_.data(); } ///< one an output channel

    /// What the guards refuse of the numbers that the engine filled in; nothing: the frame is accepted.
    std::optional<Offence> judge(const State &input) const;

  private:
    struct Place {
        std::size_t field;
        int component;
    };
    template <class T> void set_limits();
    std::optional<Offence> offence(const std::vector<surrogate_engine_sums> &sums, const std::vector<Place> &places,
                                   Role role, const State &input) const;

    const Manifest &manifest_;
    const GuardSpec &guards_;
    std::vector<Place> read_, written_; // by channel
    std::vector<surrogate_engine_source> source_;
    std::vector<surrogate_engine_target> target_;
    std::vector<surrogate_engine_sums> source_sums_, target_sums_;
    surrogate_engine_layout layout_{};
};

} // namespace surrogate::core
