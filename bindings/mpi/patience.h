// How ranks wait: without taking the core from those that work, and without being thought silent.
#pragma once

#include "communicator.h"

#include <chrono>

namespace surrogate::mpi {

/// Sleeps that grow from 20 microseconds to a millisecond, by a 32nd of the nap before: a wait ends late by a few
/// hundredths of its length, however short it was, and a long one costs next to no looks.
class Naps {
  public:
    void take();
    void refresh() { next_ = FIRST; }

  private:
    static constexpr std::chrono::nanoseconds FIRST{20'000}, LONGEST{1'000'000};
    std::chrono::nanoseconds next_ = FIRST;
};

/// The rhythm of a wait: looks without a pause for some microseconds, then with longer and longer ones; and every
/// quarter of the deadline a word to the neighbours.
class Patience {
  public:
    using Clock = std::chrono::steady_clock;
    explicit Patience(Communicator &communicator);
    /// Between two looks; returns the time.
    Clock::time_point pause();
    /// Something came: look often again.
    void refresh();

  private:
    Communicator &communicator_;
    Clock::time_point stirred_, told_;
    Naps naps_;
};

} // namespace surrogate::mpi
