// CUDA graphs of a program: one launch in place of hundreds of kernels.  A graph remembers addresses, and a caller's
// change from call to call, so every graph owns the tensors that it reads and the one that it writes.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <list>
#include <memory>
#include <vector>

namespace surrogate_torch {

// A recorded sequence of kernels.  Made by the library of cuda.cpp, the only one that is linked with torch's CUDA.
struct Graph {
    virtual ~Graph() = default;
    virtual void begin() = 0; // on the current stream, which is not the default one
    virtual void end() = 0;
    virtual void replay() = 0; // on the current stream
};

class Graphs {
  public:
    using Forward = std::function<at::Tensor(std::vector<at::Tensor> &)>;

    // `wanted`: false runs every call by itself.
    Graphs(c10::Device device, bool wanted) : device_(device), wanted_(wanted && device.is_cuda()) {}

    // forward(inputs), by a graph where there is one or one can be made.  The result is valid until the next call.
    at::Tensor run(std::vector<at::Tensor> &inputs, const Forward &forward);

  private:
    struct Recording {
        std::vector<at::Tensor> inputs;
        at::Tensor output;
        std::unique_ptr<Graph> graph;
    };
    Recording *find(const std::vector<at::Tensor> &inputs);
    void record(const std::vector<at::Tensor> &inputs, const Forward &forward);

    const c10::Device device_;
    bool wanted_;
    std::list<Recording> recordings_; // the latest used first
};

} // namespace surrogate_torch
