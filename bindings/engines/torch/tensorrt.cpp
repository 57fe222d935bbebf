// TensorRT programs: TorchScript files with operators of torch_tensorrt, whose run-time library registers them with
// torch when it is loaded; that happens here and nowhere else, so that only who opens such a program needs it.
// Written against torch_tensorrt 2.13 and never run: TensorRT could not be installed where this was made.
#include <dlfcn.h>

#include <cstdlib>
#include <string>

#include "message.hpp"
#include "program.hpp"
#include "surrogate/surrogate.h"

namespace surrogate_torch {
namespace {

constexpr const char *kLibrary = "libtorchtrt_runtime.so";

// The option, else the environment, else beside the torch that runs here, else the loader's path.
void load_runtime(const std::string &option) {
    const char *environment = std::getenv("SURROGATE_TENSORRT_LIBRARY");
    std::vector<std::string> candidates;
    if (!option.empty())
        candidates = {option};
    else if (environment != nullptr && *environment != '\0')
        candidates = {environment};
    else
        candidates = {std::string(SURROGATE_TORCH_ROOT "/../torch_tensorrt/lib/") + kLibrary, kLibrary};
    std::string report;
    for (const std::string &candidate : candidates) {
        if (dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr)
            return;
        const char *reason = dlerror();
        report += "; " + candidate + ": " + (reason != nullptr ? reason : "no reason given");
    }
    throw Failure(
        SURROGATE_ERROR_ENGINE,
        "torch engine: a program of format \"tensorrt\" needs torch_tensorrt's run-time library, which cannot "
        "be loaded: install torch_tensorrt of this torch's version (" SURROGATE_TORCH_RELEASE
        ") with TensorRT, or name the library in engine option \"tensorrt_library\" or in "
        "SURROGATE_TENSORRT_LIBRARY" +
            report);
}

} // namespace

std::unique_ptr<surrogate_program> load_tensorrt(const surrogate_engine_load &request, const Options &options) {
    load_runtime(options.tensorrt_library);
    return load_torchscript(request, options);
}

} // namespace surrogate_torch
