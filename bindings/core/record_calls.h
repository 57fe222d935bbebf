// surrogate_open_options.record_calls: inputs and outputs of accepted predictions, as frames of a recording.
#pragma once

#include "fields.h"
#include "program.h"
#include "recorder.h"

namespace surrogate::core {

class CallRecord {
  public:
    CallRecord(const std::string &path, const Bundle &bundle, const Program &program, const std::string &plugin_path);

    /// Copy the input, before the output is written: they may be the same arrays. Throws Error, as commit does.
    void stage_input(const State &input);
    /// Store the call: what was staged, and the output.
    void commit(const State &output, const surrogate_step_options &step, std::int64_t call);
    void close() { recorder_.close(); }

  private:
    void stage(const State &state, const std::vector<std::string> &names, std::size_t first);

    const Manifest &manifest_;
    Recorder recorder_;
    std::vector<std::string> inputs_, outputs_, parameters_; // names; of a field that is not predicted ""
    std::size_t predicted_ = 0;
    bool staged_ = false; // the input of this very call
};

} // namespace surrogate::core
