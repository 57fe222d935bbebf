// One loaded program of any of torch's formats.  A format is a file with a subclass, and a line in engine.cpp.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "engine.h"

// The type behind the engine interface's opaque handle.  load and run throw; engine.cpp turns exceptions into statuses.
struct surrogate_program {
    explicit surrogate_program(c10::Device device) : device_(device) { inputs_.reserve(8); }
    virtual ~surrogate_program() = default;

    // inputs, output: as in surrogate_engine.run.  The output stays valid until the next call.
    void run(surrogate_tensor *output, const surrogate_tensor *inputs, int32_t input_count);

    int32_t threads = 0; // of a run; 0: as the host has it
    const void *(*host_environment)() = nullptr;

  protected:
    // The program itself: dense float32 tensors on its device in, its one result out, which may be a view of an input.
    // The vector's tensors may be moved from.
    virtual at::Tensor forward(std::vector<at::Tensor> &inputs) = 0;

    const c10::Device device_;
    bool writes_input_ = false; // an in-place operator on the input: it works on a copy, never on the caller's array

  private:
    std::vector<at::Tensor> inputs_;
    at::Tensor output_;
};

namespace surrogate_torch {

std::unique_ptr<surrogate_program> load_aoti(const surrogate_engine_load &request);
std::unique_ptr<surrogate_program> load_torchscript(const surrogate_engine_load &request);

} // namespace surrogate_torch
