// The example of a bundle: what its program read and returned when it was exported.
#pragma once

#include "bundle.h"
#include "safetensors.h"

#include "../engines/engine.h"

namespace surrogate::core {

class Example {
  public:
    /// Empty.
    Example() = default;
    /// Read and checked against the manifest; empty if the bundle has none. Throws ERROR_CORRUPT.
    explicit Example(const Bundle &bundle);

    bool empty() const { return inputs_.empty(); }
    /// All that the program reads: state, parameters, noise. Borrowed from this example.
    std::vector<surrogate_tensor> inputs() const { return tensors_of(inputs_); }
    const std::vector<float> &expected() const { return expected_.values; }

    static std::vector<surrogate_tensor> tensors_of(const std::vector<Tensor> &inputs);

  private:
    std::vector<Tensor> inputs_;
    Tensor expected_;
};

/// What a program may be run on where there is no example: zeros on the smallest grid, parameters at their presets.
std::vector<Tensor> blank_inputs(const Manifest &manifest);

} // namespace surrogate::core
