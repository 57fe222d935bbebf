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

std::unique_ptr<surrogate_program> load_format(const surrogate_engine_load &request) {
    const std::pair<const char *, Load *> formats[] = {
        {"torchscript", load_torchscript}, {"aoti", load_aoti}, {"tensorrt", load_tensorrt}};
    const Options options = read_options(request.options);
    for (const auto &[format, load_it] : formats)
        if (std::strcmp(request.format, format) == 0) {
            if (request.method != nullptr && load_it != load_torchscript)
                throw Failure(SURROGATE_ERROR_UNSUPPORTED, std::string("torch engine: method '") + request.method +
                                                               "' asked for, but a file of format \"" + format +
                                                               "\" holds one program; export the bundle again");
            return load_it(request, options);
        }
    throw Failure(SURROGATE_ERROR_UNSUPPORTED,
                  std::string("torch engine: cannot run a program of format \"") + request.format +
                      "\", only \"torchscript\", \"aoti\" and \"tensorrt\"; export the model again");
}

std::string name_of(const surrogate_engine_load &request) {
    return std::string("torch engine: cannot load ") +
           (request.path != nullptr ? request.path : "the program from memory") + " on " + request.device;
}

int load(surrogate_program **program, const surrogate_engine_load *request, surrogate_engine_error *error) {
    try {
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

// Runs `body` inside the program's team of workers.
template <class Body> int inside(surrogate_program *program, surrogate_engine_error *error, Body &&body) {
    try {
        const Team team(program->threads, program->host_environment);
        body();
        return SURROGATE_OK;
    } catch (...) {
        return report(error, SURROGATE_ERROR_EXECUTION, "torch engine: the program failed");
    }
}

int run(surrogate_program *program, surrogate_tensor *output, const surrogate_tensor *inputs, int32_t input_count,
        void *stream, surrogate_engine_error *error) {
    return inside(program, error, [&] { program->run(output, inputs, input_count, stream); });
}

int device_run(surrogate_program *program, surrogate_engine_sums *sources, surrogate_engine_sums *targets,
               const surrogate_engine_layout *layout, const surrogate_tensor *inputs, int32_t input_count, void *stream,
               surrogate_engine_error *error) {
    return inside(program, error, [&] { program->device_run(sources, targets, *layout, inputs, input_count, stream); });
}

int device_write(surrogate_program *program, const surrogate_engine_layout *layout, void *stream,
                 surrogate_engine_error *error) {
    return inside(program, error, [&] { program->device_write(*layout, stream); });
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
                                           surrogate_torch::device_run,
                                           surrogate_torch::device_write};
    return &table;
}
