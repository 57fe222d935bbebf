// CUDA graphs.  A library of its own, opened only for programs on a GPU, because it is linked with torch's CUDA.
#include <ATen/cuda/CUDAGraph.h>

#include "graphs.hpp"

namespace surrogate_torch {
namespace {

class Recorded final : public Graph {
  public:
    // Thread-local: other threads of the solver may allocate and launch meanwhile.
    void begin() override { graph_.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal); }
    void end() override { graph_.capture_end(); }
    void replay() override { graph_.replay(); }

  private:
    at::cuda::CUDAGraph graph_;
};

} // namespace
} // namespace surrogate_torch

extern "C" __attribute__((visibility("default"))) surrogate_torch::Graph *surrogate_torch_new_graph() {
    return new surrogate_torch::Recorded;
}
