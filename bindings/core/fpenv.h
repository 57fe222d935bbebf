// A solver may run with floating-point traps; nothing that we compute may trip them or leave flags behind.
#pragma once

#include <cfenv>

namespace surrogate::core {

/// Holds the calling thread's floating-point environment: inside, no traps, rounding to nearest, denormals kept (so
/// that hosts built with -ffast-math get the same bits); outside, everything as it was.
class FloatingPointHold {
  public:
    FloatingPointHold() noexcept {
        std::feholdexcept(&host_);
        std::fesetenv(FE_DFL_ENV);
        outer_ = held_;
        held_ = outer_ ? outer_ : &host_;
    }
    ~FloatingPointHold() {
        held_ = outer_;
        std::fesetenv(&host_);
    }
    FloatingPointHold(const FloatingPointHold &) = delete;
    FloatingPointHold &operator=(const FloatingPointHold &) = delete;

    /// What the calling thread's host has (const fenv_t *): OpenMP workers that an engine starts inherit it.
    static const void *host_environment() noexcept { return held_; }

  private:
    std::fenv_t host_;
    const std::fenv_t *outer_;
    inline static thread_local const std::fenv_t *held_ = nullptr;
};

} // namespace surrogate::core
