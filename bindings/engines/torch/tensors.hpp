// Tensors over memory that is not torch's, and results made into what the engine interface promises.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/util/Exception.h>

#include <string>

#include "engine.h"

namespace surrogate_torch {

// torch prints warnings (TorchScript's deprecation, for one); a library must not. Holds for the calling thread.
class Quiet {
  public:
    Quiet();

  private:
    c10::WarningUtils::WarningHandlerGuard guard_;
};

// The request's device; throws Failure if it is a CUDA device and there is none that works.
c10::Device device_of(const surrogate_engine_load &request);

// The caller's memory itself, or a copy of it where the program runs on another device.
at::Tensor input_on(const surrogate_tensor &input, c10::Device device);

// The program's result as dense float32 on `device`. Throws unless it is (B, any, ny, nx) for the state's B, ny, nx.
// A view into the caller's state becomes a copy, since the state changes while libsurrogate writes the frame there.
at::Tensor finished(at::Tensor result, const surrogate_tensor &state, c10::Device device);

// Fill the engine interface's description; the tensor keeps the memory.
void describe(surrogate_tensor *output, const at::Tensor &tensor);

// Throws unless the program takes as many inputs as it is given.
void check_input_count(int64_t taken, int64_t given);

} // namespace surrogate_torch
