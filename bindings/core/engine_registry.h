// Finding engines: shared libraries beside libsurrogate, opened once and never closed.
#pragma once

#include "../engines/engine.h"

#include <cstring>
#include <string>

namespace surrogate::core {

/// The engine called `name`, from the first folder that holds one which works in this process. Folders, in order:
/// `engine_path` (':'-separated, may be NULL), SURROGATE_ENGINE_PATH, libsurrogate's own, its subfolder `engines`.
/// Throws ERROR_ENGINE with the folders searched, why each candidate failed, and what to do.
const surrogate_engine &find_engine(const std::string &name, const char *engine_path);

/// Room for the text of an engine's failure.
class EngineText {
  public:
    EngineText() { buffer_[0] = '\0'; }
    surrogate_engine_error *error() { return &error_; }
    std::string text() const { // an engine may have left out the NUL
        return buffer_[0] ? std::string(buffer_, ::strnlen(buffer_, sizeof buffer_)) : "no reason was given";
    }
    EngineText(const EngineText &) = delete;
    EngineText &operator=(const EngineText &) = delete;

  private:
    char buffer_[4096];
    surrogate_engine_error error_{buffer_, sizeof buffer_};
};

} // namespace surrogate::core
