// What surrogate_open_options.engine_options may say to this engine.
#pragma once

#include <string>

namespace surrogate_torch {

struct Options {
    bool graphs = true;           // "graphs": CUDA graphs of programs on a GPU
    std::string tensorrt_library; // "tensorrt_library": path of libtorchtrt_runtime.so; "": searched for
};

// `json`: an object whose syntax libsurrogate has checked, or NULL.  Throws Failure for a key or value that is not
// known. The key "passes" is libsurrogate's own.
Options read_options(const char *json);

} // namespace surrogate_torch
