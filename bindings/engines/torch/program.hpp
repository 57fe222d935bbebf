// One loaded program of any of torch's formats.  A new format (AOTInductor) is a new file with a new subclass, and a
// line in engine.cpp.
#pragma once

#include <memory>

#include "engine.h"

// The type behind the engine interface's opaque handle.  load and run throw; engine.cpp turns exceptions into statuses.
struct surrogate_program {
    virtual ~surrogate_program() = default;

    // inputs, output: as in surrogate_engine.run.  The output stays valid until the next call.
    virtual void run(surrogate_tensor *output, const surrogate_tensor *inputs, int32_t input_count) = 0;

    int32_t threads = 0; // of a run; 0: as the host has it
    const void *(*host_environment)() = nullptr;
};

namespace surrogate_torch {

std::unique_ptr<surrogate_program> load_torchscript(const surrogate_engine_load &request);

} // namespace surrogate_torch
