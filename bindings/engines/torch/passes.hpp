// The input and output passes as torch operators, so that fields in CUDA memory never touch the host.  They run on the
// CPU as well, where they are tested against libsurrogate's own.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "engine.h"

namespace surrogate_torch {

class Passes {
  public:
    explicit Passes(c10::Device device) : device_(device) {}

    // The sources, normalised: (B, C, spatial...), dense float32.
    at::Tensor pack(const surrogate_engine_layout &layout);
    // The frame from the program's output (B, C_out, spatial...), and the sums of both sides.  Waits for the stream.
    void review(surrogate_engine_sums *sources, surrogate_engine_sums *targets, const surrogate_engine_layout &layout,
                const at::Tensor &program);
    // Write the reviewed frame to the targets.
    void write(const surrogate_engine_layout &layout);

  private:
    // Numbers of the channels, (C, 1, ...), on the device; made again only when one has changed.
    struct Constants {
        std::vector<double> values; // as they were handed over
        at::Tensor table;           // (kinds, C, 1, ...)
    };
    static void update(Constants &constants, std::vector<double> values, int64_t kinds, int64_t rank,
                       at::TensorOptions options);
    at::Tensor next_frame(const surrogate_engine_layout &layout, const at::Tensor &program);
    at::Tensor of_targets(const surrogate_engine_layout &layout);

    const c10::Device device_;
    Constants source_constants_, target_constants_;
    at::Tensor state_;  // (B, C, spatial...), the caller's dtype: u
    at::Tensor packed_; // (B, C, spatial...), float32: x
    at::Tensor frame_;  // (B, C_out, spatial...), the caller's dtype: u'
};

} // namespace surrogate_torch
