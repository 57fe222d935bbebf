// The engine's table: exceptions become statuses, and every entry into torch happens inside a Team.
#include <cstring>
#include <string>

#include "engine.h"
#include "message.hpp"
#include "program.hpp"
#include "surrogate/surrogate.h"
#include "team.hpp"

namespace surrogate_torch {
namespace {

void refuse_options(const char *options) {
    if (options == nullptr)
        return;
    for (const char *c = options; *c != '\0'; ++c)
        if (std::strchr("{} \t\r\n", *c) == nullptr)
            throw Failure(SURROGATE_ERROR_ARGUMENT, std::string("torch engine: engine_options is ") + options +
                                                        ", but this engine has none; pass NULL");
}

std::unique_ptr<surrogate_program> load_format(const surrogate_engine_load &request) {
    if (std::strcmp(request.format, "torchscript") == 0)
        return load_torchscript(request);
    if (std::strcmp(request.format, "aoti") == 0)
        return load_aoti(request);
    throw Failure(SURROGATE_ERROR_UNSUPPORTED, std::string("torch engine: cannot run a program of format \"") +
                                                   request.format +
                                                   "\", only \"torchscript\" and \"aoti\"; export the model again");
}

std::string name_of(const surrogate_engine_load &request) {
    return std::string("torch engine: cannot load ") +
           (request.path != nullptr ? request.path : "the program from memory") + " on " + request.device;
}

int load(surrogate_program **program, const surrogate_engine_load *request, surrogate_engine_error *error) {
    try {
        refuse_options(request->options);
        const Team team(request->threads, request->host_environment);
        std::unique_ptr<surrogate_program> loaded = load_format(*request);
        loaded->threads = request->threads;
        loaded->host_environment = request->host_environment;
        *program = loaded.release();
        return SURROGATE_OK;
    } catch (...) {
        return report(error, SURROGATE_ERROR_ENGINE, name_of(*request));
    }
}

int run(surrogate_program *program, surrogate_tensor *output, const surrogate_tensor *inputs, int32_t input_count,
        void * /*stream: no CUDA memory yet*/, surrogate_engine_error *error) {
    try {
        const Team team(program->threads, program->host_environment);
        program->run(output, inputs, input_count);
        return SURROGATE_OK;
    } catch (...) {
        return report(error, SURROGATE_ERROR_EXECUTION, "torch engine: the program failed");
    }
}

void destroy(surrogate_program *program) {
    if (program == nullptr)
        return;
    try {
        const Team team(1, nullptr);
        delete program;
    } catch (...) { // nobody could be told
    }
}

} // namespace
} // namespace surrogate_torch

// For the gate only.
extern "C" __attribute__((visibility("default"))) const surrogate_engine *surrogate_torch_engine() {
    static const surrogate_engine table = {SURROGATE_ENGINE_ABI,
                                           "torch",
                                           "torch " SURROGATE_TORCH_RELEASE,
                                           surrogate_torch::load,
                                           surrogate_torch::run,
                                           surrogate_torch::destroy,
                                           nullptr,
                                           nullptr};
    return &table;
}
