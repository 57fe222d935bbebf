#include "graphs.hpp"

#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/core/Stream.h>
#include <c10/core/StreamGuard.h>
#include <dlfcn.h>

namespace surrogate_torch {
namespace {

constexpr size_t kLargest = 4; // recordings kept: each holds the program's whole working memory of its shape
constexpr int kWarmUps = 3;    // libraries choose and allocate in their first runs, which must not be recorded

// NULL where the engine was built for a torch without CUDA, or without the CUDA toolkit's headers.
std::unique_ptr<Graph> new_graph() {
    using Maker = Graph *(*)();
    static const Maker maker = [] {
        Dl_info self{};
        dladdr(reinterpret_cast<void *>(&new_graph), &self);
        const std::string file = self.dli_fname != nullptr ? self.dli_fname : "";
        const std::string library =
            file.substr(0, file.rfind('/') + 1) + "libsurrogate_torch_cuda-" SURROGATE_TORCH_RELEASE ".so";
        void *handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
        return reinterpret_cast<Maker>(handle != nullptr ? dlsym(handle, "surrogate_torch_new_graph") : nullptr);
    }();
    return std::unique_ptr<Graph>(maker != nullptr ? maker() : nullptr);
}

} // namespace

Graphs::Recording *Graphs::find(const std::vector<at::Tensor> &inputs) {
    for (auto at = recordings_.begin(); at != recordings_.end(); ++at) {
        bool same = at->inputs.size() == inputs.size();
        for (size_t i = 0; same && i < inputs.size(); ++i)
            same = at->inputs[i].sizes() == inputs[i].sizes();
        if (same) {
            recordings_.splice(recordings_.begin(), recordings_, at);
            return &recordings_.front();
        }
    }
    return nullptr;
}

void Graphs::record(const std::vector<at::Tensor> &inputs, const Forward &forward) {
    Recording recording;
    recording.graph = new_graph();
    if (recording.graph == nullptr) {
        wanted_ = false;
        return;
    }
    for (const at::Tensor &input : inputs)
        recording.inputs.push_back(input.clone());
    const c10::impl::VirtualGuardImpl device(device_.type());
    const c10::Stream callers = device.getStream(device_);
    const c10::Stream side = device.getStreamFromGlobalPool(device_);
    device.synchronizeStream(callers); // the clones are there before the side stream reads them
    {
        const c10::StreamGuard current(side);
        for (int i = 0; i < kWarmUps; ++i) {
            std::vector<at::Tensor> handed = recording.inputs;
            forward(handed);
        }
        device.synchronizeStream(side);
        recording.graph->begin();
        std::vector<at::Tensor> handed = recording.inputs;
        recording.output = forward(handed);
        recording.graph->end();
        device.synchronizeStream(side);
    }
    if (recordings_.size() >= kLargest)
        recordings_.pop_back();
    recordings_.push_front(std::move(recording));
}

at::Tensor Graphs::run(std::vector<at::Tensor> &inputs, const Forward &forward) {
    if (!wanted_)
        return forward(inputs);
    Recording *recording = find(inputs);
    if (recording == nullptr) {
        try {
            record(inputs, forward);
        } catch (const std::exception &) { // something in the program cannot be recorded: it runs as it is
            wanted_ = false;
            recordings_.clear();
        }
        if (!wanted_)
            return forward(inputs);
        recording = &recordings_.front();
    }
    for (size_t i = 0; i < inputs.size(); ++i)
        recording->inputs[i].copy_(inputs[i]);
    recording->graph->replay();
    return recording->output;
}

} // namespace surrogate_torch
