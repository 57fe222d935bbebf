#include "patience.h"

#include <algorithm>
#include <thread>

namespace surrogate::mpi {

static constexpr auto LOOKS = std::chrono::microseconds(20); // without a pause, before the first nap

void Naps::take() {
    std::this_thread::sleep_for(next_);
    next_ = std::min(next_ + next_ / 32, LONGEST);
}

Patience::Patience(Communicator &communicator) : communicator_(communicator), stirred_(Clock::now()), told_(stirred_) {}

void Patience::refresh() {
    stirred_ = Clock::now();
    naps_.refresh();
}

Patience::Clock::time_point Patience::pause() {
    auto now = Clock::now();
    if (now - stirred_ > LOOKS) {
        naps_.take();
        now = Clock::now();
    }
    if (std::chrono::duration<double>(now - told_).count() > communicator_.deadline() / 4) {
        communicator_.tell_alive();
        told_ = now;
    }
    return now;
}

} // namespace surrogate::mpi
