// One loaded program of any of torch's formats.  A format is a file with a subclass, and a line in engine.cpp.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "engine.h"
#include "graphs.hpp"
#include "options.hpp"
#include "passes.hpp"

// The type behind the engine interface's opaque handle.  load and run throw; engine.cpp turns exceptions into statuses.
struct surrogate_program {
    surrogate_program(c10::Device device, const surrogate_torch::Options &options)
        : device_(device), passes_(device), graphs_(device, options.graphs) {
        inputs_.reserve(8);
    }
    virtual ~surrogate_program() = default;

    // As surrogate_engine's functions of these names; what they return stays valid until the next call.
    void run(surrogate_tensor *output, const surrogate_tensor *inputs, int32_t input_count, void *stream);
    void device_run(surrogate_engine_sums *sources, surrogate_engine_sums *targets,
                    const surrogate_engine_layout &layout, const surrogate_tensor *inputs, int32_t input_count,
                    void *stream);
    void device_write(const surrogate_engine_layout &layout, void *stream);

    int32_t threads = 0; // of a run; 0: as the host has it
    const void *(*host_environment)() = nullptr;

  protected:
    // The program itself: dense float32 tensors on its device in, its one result out, which may be a view of an input.
    // The vector's tensors may be moved from.
    virtual at::Tensor forward(std::vector<at::Tensor> &inputs) = 0;

    const c10::Device device_;
    bool writes_input_ = false; // an in-place operator on the input: it works on a copy, never on the caller's array

  private:
    at::Tensor run_forward();

    surrogate_torch::Passes passes_;
    surrogate_torch::Graphs graphs_;
    std::vector<at::Tensor> inputs_;
    at::Tensor output_;
};

namespace surrogate_torch {

using Load = std::unique_ptr<surrogate_program>(const surrogate_engine_load &request, const Options &options);
Load load_aoti, load_tensorrt, load_torchscript;

} // namespace surrogate_torch
