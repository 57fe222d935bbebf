// surrogate_open_options.record_calls: inputs and outputs of accepted predictions, as frames of a recording.
#pragma once

#include "call.h"
#include "program.h"
#include "recorder.h"

namespace surrogate::core {

class CallRecord {
  public:
    /// `guards`: the JSON text that replaced guards of the manifest; "": none.
    CallRecord(const std::string &path, const Bundle &bundle, const Program &program, const std::string &guards,
               const std::string &plugin_path);

    /// Copy the input, before the output is written: they may be the same arrays. Throws Error, as commit does.
    void stage_input(const Call &call);
    /// Store the call: what was staged, and the output. `number`: surrogate_statistics.calls.
    void commit(const Call &call, std::int64_t number);
    void close() { recorder_.close(); }

  private:
    void stage(const State &state, const std::string *names, std::size_t first);
    std::vector<RecordedScalar> scalars_of(const Call &call, std::int64_t number) const;

    const Manifest &manifest_;
    Recorder recorder_;
    std::vector<std::string> inputs_;               // names of the fields, frame by frame
    std::vector<std::string> outputs_, parameters_; // names; of a field that is not predicted ""
    std::size_t predicted_ = 0;
    bool staged_ = false; // the input of this very call
};

} // namespace surrogate::core
