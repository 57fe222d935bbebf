// The public functions of the parallel recorder.
#include "recorder.h"

#include <memory>
#include <mutex>
#include <set>

using namespace surrogate::mpi;

namespace {

constexpr double DEADLINE = 600; // seconds

struct Handles { // that are open: a closed one is told from them
    std::mutex mutex;
    std::set<const surrogate_mpi_recorder *> open;
};

Handles &handles() {
    static Handles *const all = new Handles; // never destroyed: a solver may close in a destructor of its own
    return *all;
}

surrogate_mpi_recorder &opened(surrogate_mpi_recorder *handle) {
    if (!handle)
        fail(SURROGATE_ERROR_ARGUMENT,
             "recorder is NULL; was surrogate_mpi_recorder_open called, and did it return SURROGATE_OK?");
    Handles &all = handles();
    const std::lock_guard<std::mutex> lock(all.mutex);
    if (!all.open.count(handle))
        fail(SURROGATE_ERROR_ARGUMENT, "recorder is not an open recorder; was it closed already?");
    return *handle;
}

void insert(const surrogate_mpi_recorder *handle) {
    Handles &all = handles();
    const std::lock_guard<std::mutex> lock(all.mutex);
    all.open.insert(handle);
}

void erase(const surrogate_mpi_recorder *handle) {
    Handles &all = handles();
    const std::lock_guard<std::mutex> lock(all.mutex);
    all.open.erase(handle);
}

} // namespace

extern "C" {

int surrogate_mpi_recorder_open(surrogate_mpi_recorder **recorder, MPI_Comm comm, const char *path,
                                const surrogate_recorder_options *options, double deadline) {
    return guarded("surrogate_mpi_recorder_open", [&] {
        if (recorder)
            *recorder = nullptr;
        auto made = std::make_unique<surrogate_mpi_recorder>(comm, deadline > 0 ? deadline : DEADLINE);
        try {
            together(made->communicator(), "surrogate_mpi_recorder_open: handle", [&] {
                if (!recorder)
                    fail(SURROGATE_ERROR_ARGUMENT,
                         "recorder is NULL, expected the address of a surrogate_mpi_recorder pointer");
                if (!path || !*path)
                    fail(SURROGATE_ERROR_ARGUMENT, "path is ", path ? "empty" : "NULL",
                         ", expected the name of a file, run.h5");
                insert(made.get());
            });
            made->open(path, options);
        } catch (...) {
            erase(made.get());
            throw;
        }
        *recorder = made.release();
        return SURROGATE_OK;
    });
}

int surrogate_mpi_recorder_write(surrogate_mpi_recorder *recorder, double time, const surrogate_field *fields,
                                 size_t count, const int64_t *origin, const int64_t *global_shape) {
    return guarded("surrogate_mpi_recorder_write", [&] {
        opened(recorder).write(time, fields, count, origin, global_shape);
        return SURROGATE_OK;
    });
}

int surrogate_mpi_recorder_close(surrogate_mpi_recorder *recorder) {
    if (!recorder)
        return SURROGATE_OK;
    return guarded("surrogate_mpi_recorder_close", [&] {
        const std::unique_ptr<surrogate_mpi_recorder> last(&opened(recorder));
        erase(recorder);
        last->close();
        return SURROGATE_OK;
    });
}

} // extern "C"
