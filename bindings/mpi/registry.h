// Which handles are open: a closed or foreign pointer is an error, not a crash.
#pragma once

#include "failure.h"

#include <mutex>
#include <set>

namespace surrogate::mpi {

template <class Handle> class Registry {
  public:
    /// what: "model"; opener: the function that makes handles, for messages.
    Registry(const char *what, const char *opener) : what_(what), opener_(opener) {}

    void add(Handle *handle) {
        const std::lock_guard<std::mutex> lock(mutex_);
        open_.insert(handle);
    }
    /// ERROR_ARGUMENT unless `handle` is open.
    Handle &find(Handle *handle) {
        if (!handle)
            fail(SURROGATE_ERROR_ARGUMENT, what_, " is NULL; was ", opener_,
                 " called, and did it return SURROGATE_OK?");
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!open_.count(handle))
            fail(SURROGATE_ERROR_ARGUMENT, what_, " is not an open ", what_, "; was it closed already?");
        return *handle;
    }
    /// The handle is closed from now on; nothing happens if it was before.
    void remove(Handle *handle) {
        const std::lock_guard<std::mutex> lock(mutex_);
        open_.erase(handle);
    }

  private:
    const char *const what_, *const opener_;
    std::mutex mutex_;
    std::set<Handle *> open_;
};

} // namespace surrogate::mpi
