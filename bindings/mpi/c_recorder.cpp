// The public functions of the parallel recorder.
#include "recorder.h"
#include "registry.h"

#include <memory>

using namespace surrogate::mpi;

namespace {

Registry<surrogate_mpi_recorder> &registry() {
    static auto *const all = new Registry<surrogate_mpi_recorder>("recorder", "surrogate_mpi_recorder_open");
    return *all; // never destroyed: a solver may close in a destructor of its own
}

} // namespace

extern "C" {

int surrogate_mpi_recorder_open(surrogate_mpi_recorder **recorder, MPI_Comm comm, const char *path,
                                const surrogate_recorder_options *options, double deadline) {
    return guarded("surrogate_mpi_recorder_open", [&] {
        if (recorder)
            *recorder = nullptr;
        auto made = std::make_unique<surrogate_mpi_recorder>(comm, deadline > 0 ? deadline : PRESET_DEADLINE);
        try {
            together(made->communicator(), "surrogate_mpi_recorder_open: handle", [&] {
                if (!recorder)
                    fail(SURROGATE_ERROR_ARGUMENT,
                         "recorder is NULL, expected the address of a surrogate_mpi_recorder pointer");
                if (!path || !*path)
                    fail(SURROGATE_ERROR_ARGUMENT, "path is ", path ? "empty" : "NULL",
                         ", expected the name of a file, run.h5");
                registry().add(made.get());
            });
            made->open(path, options);
        } catch (...) {
            registry().remove(made.get());
            throw;
        }
        *recorder = made.release();
        return SURROGATE_OK;
    });
}

int surrogate_mpi_recorder_write(surrogate_mpi_recorder *recorder, double time, const surrogate_field *fields,
                                 size_t count, const int64_t *origin, const int64_t *global_shape) {
    return guarded("surrogate_mpi_recorder_write", [&] {
        registry().find(recorder).write(time, fields, count, origin, global_shape);
        return SURROGATE_OK;
    });
}

int surrogate_mpi_recorder_close(surrogate_mpi_recorder *recorder) {
    if (!recorder)
        return SURROGATE_OK;
    return guarded("surrogate_mpi_recorder_close", [&] {
        const std::unique_ptr<surrogate_mpi_recorder> last(&registry().find(recorder));
        registry().remove(recorder);
        last->close();
        return SURROGATE_OK;
    });
}

} // extern "C"
