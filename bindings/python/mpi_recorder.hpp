// One recording of all ranks of a communicator, as Python sees it.
#pragma once

#include "mpi_model.hpp"

#include <pybind11/pybind11.h>

#include <string>
#include <vector>

namespace native {

// Calls release the GIL. An object that is let go of without `close` ends nothing: closing is collective.
class MpiRecorder {
  public:
    // communicator: as comm.py2f() gives it; keys of `options` are the members of surrogate_recorder_options.
    static std::unique_ptr<MpiRecorder> open(int communicator, const std::string &path, const pybind11::dict &options,
                                             double deadline);

    void write(double time, const std::vector<Entry> &fields, const Place &place);
    // Take part in a write with an error, because this rank's arguments cannot be used; throws nothing.
    void abstain();
    void close();
    bool closed() const { return !handle_; }

  private:
    surrogate_mpi_recorder *handle() const;
    surrogate_mpi_recorder *handle_ = nullptr;
};

} // namespace native
