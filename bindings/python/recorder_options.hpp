// The options of a recording, from a dict whose keys are the members of surrogate_recorder_options.
#pragma once

#include <surrogate/surrogate.h>

#include <pybind11/pybind11.h>

#include <string>
#include <vector>

namespace native {

class RecorderOptions {
  public:
    explicit RecorderOptions(const pybind11::dict &given);
    RecorderOptions(const RecorderOptions &) = delete;
    RecorderOptions &operator=(const RecorderOptions &) = delete;

    const surrogate_recorder_options *c() const { return &options_; } // borrows what this object holds

  private:
    std::string name_, description_, time_unit_, length_unit_, plugin_path_;
    std::vector<std::string> parameter_names_;
    std::vector<const char *> name_pointers_;
    std::vector<double> parameter_values_;
    surrogate_recorder_options options_;
};

} // namespace native
