#include "c_handle.h"

#include "error.h"

#include <mutex>

namespace surrogate::core {

namespace {

// A solver that opens and closes in a loop holds this many closed handles (a few kilobytes), and no more.
constexpr int KEPT = 256;

/// Closed handles, oldest first: a list inside the handles, as closing must not allocate.
struct {
    std::mutex mutex;
    surrogate_model *first = nullptr, *last = nullptr;
    int count = 0;
} closed;

/// The oldest closed handle once enough are kept, else nothing.
std::unique_ptr<surrogate_model> take_closed() {
    const std::lock_guard<std::mutex> lock(closed.mutex);
    if (closed.count < KEPT)
        return nullptr;
    surrogate_model *const oldest = closed.first;
    closed.first = oldest->next;
    --closed.count;
    return std::unique_ptr<surrogate_model>(oldest);
}

} // namespace

surrogate_model *make_handle(std::unique_ptr<Model> model) {
    std::unique_ptr<surrogate_model> handle = take_closed();
    if (!handle)
        handle = std::make_unique<surrogate_model>();
    handle->model = std::move(model);
    handle->next = nullptr;
    handle->state = surrogate_model::OPEN;
    return handle.release();
}

Model &opened(surrogate_model *handle) {
    if (!handle)
        fail(SURROGATE_ERROR_ARGUMENT, "model is NULL; was surrogate_open called, and did it return SURROGATE_OK?");
    if (handle->state.load(std::memory_order_relaxed) != surrogate_model::OPEN)
        fail(SURROGATE_ERROR_ARGUMENT, "model is not an open model; was it closed already?");
    return *handle->model;
}

void close_handle(surrogate_model *handle) {
    opened(handle);
    handle->state = 0;
    handle->model.reset();
    const std::lock_guard<std::mutex> lock(closed.mutex);
    (closed.count++ ? closed.last->next : closed.first) = handle;
    closed.last = handle;
}

} // namespace surrogate::core
