// One recording, as Python sees it.
#pragma once

#include "states.hpp"

#include <memory>

namespace native {

// Calls release the GIL.
class Recorder {
  public:
    // Keys of `options` are the members of surrogate_recorder_options.
    static std::unique_ptr<Recorder> open(const std::string &path, const pybind11::dict &options);
    ~Recorder();

    void write(double time, const std::vector<Entry> &fields);
    void close();
    bool closed() const { return !handle_; }

  private:
    explicit Recorder(surrogate_recorder *handle) : handle_(handle) {}
    surrogate_recorder *handle_;
};

} // namespace native
