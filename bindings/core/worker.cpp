#include "worker.h"

#include "error.h"

#include <csignal>
#include <system_error>

namespace surrogate::core {

Worker::~Worker() {
    if (!thread_.joinable())
        return;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        closing_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

namespace {

/// Blocks all signals of the calling thread while it lives: a thread inherits the mask of the one that makes it.
class SignalHold {
  public:
    SignalHold() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &host_);
    }
    ~SignalHold() { pthread_sigmask(SIG_SETMASK, &host_, nullptr); }
    SignalHold(const SignalHold &) = delete;
    SignalHold &operator=(const SignalHold &) = delete;

  private:
    sigset_t host_;
};

} // namespace

void Worker::launch() {
    const SignalHold hold;
    try {
        thread_ = std::thread(&Worker::loop, this);
    } catch (const std::system_error &error) {
        fail(SURROGATE_ERROR_MEMORY, "no thread can be made for the prediction (", error.what(),
             "); allow this process more threads, or call surrogate_predict");
    }
}

void Worker::start(std::function<void()> job) {
    if (!thread_.joinable())
        launch();
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        job_ = std::move(job);
    }
    changed_.notify_all();
}

bool Worker::busy() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return static_cast<bool>(job_);
}

void Worker::wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !job_; });
}

void Worker::loop() {
    const FloatingPointHold hold; // the maker's environment was inherited, traps and all
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return job_ || closing_; });
        if (!job_)
            return;
        lock.unlock();
        job_(); // nobody touches it while it is set
        lock.lock();
        job_ = nullptr;
        changed_.notify_all();
    }
}

} // namespace surrogate::core
