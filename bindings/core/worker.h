// A thread of the library's own that does one job at a time, beside the solver.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace surrogate::core {

/// Made without a thread; the first `start` makes it. Signals are blocked in it, so that the host's handlers run on the
/// host's threads, and its floating-point environment is the default one, whatever the host traps.
class Worker {
  public:
    /// Waits for the job under way.
    ~Worker();

    /// Begin `job`, which must not throw. Only when no job is under way.
    void start(std::function<void()> job);
    bool busy();
    void wait();

  private:
    void loop();
    void launch();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::function<void()> job_; // empty: none under way
    bool closing_ = false;
    std::thread thread_;
};

} // namespace surrogate::core
