// A bundle that all ranks of a communicator opened, as Python sees it.
#pragma once

#include "options.hpp"
#include "states.hpp"

#include <surrogate/surrogate_mpi.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace native {

struct MpiOptions {
    std::int32_t mode = SURROGATE_MPI_AUTO;
    std::int32_t leaders = 0, reader = 0;
    double deadline = 600;
    std::vector<std::int64_t> tile_shape; // empty: the blocks

    surrogate_mpi_options c() const;
};

// Where a rank's block lies in the domain; one number a spatial axis, slowest first.
struct Place {
    std::vector<std::int64_t> origin, global_shape;
};

// Calls release the GIL. An object that is let go of without `close` frees nothing: closing is collective.
class MpiModel {
  public:
    // communicator: an integer as comm.py2f() gives it; path: none on ranks that do not read.
    static std::unique_ptr<MpiModel> open(int communicator, const std::optional<std::string> &path, OpenOptions options,
                                          const MpiOptions &mpi);

    // SURROGATE_OK or SURROGATE_REJECTED; errors are thrown.
    int predict(const Part &output, const std::vector<Part> &input, const StepOptions &step, const Place &place);
    // Take part in a prediction with an error, because this rank's arguments cannot be used; throws nothing.
    void abstain();

    pybind11::dict info() const;
    pybind11::list fields() const;
    pybind11::list parameters() const;
    pybind11::dict statistics() const;
    pybind11::dict last_rejection() const;
    pybind11::dict report() const;
    void close();
    bool closed() const { return !handle_; }

  private:
    explicit MpiModel(OpenOptions options) : options_(std::move(options)) {}
    surrogate_mpi_model *handle() const;
    surrogate_model *local() const { return surrogate_mpi_local(handle()); }

    OpenOptions options_; // the log callback is used as long as the model lives
    surrogate_mpi_model *handle_ = nullptr;
    StateForm form_;
};

} // namespace native
