#include "program.h"

#include "error.h"

namespace surrogate::core {

Program::Program(const ProgramSpec &spec, const Request &request, const std::string &path, const Bytes &bytes,
                 int inputs)
    : spec_(spec), device_(request.device == "cuda" ? "cuda:0" : request.device),
      engine_(&find_engine(spec.engine, request.engine_path.c_str())), handle_(nullptr, Destroy{engine_}) {
    surrogate_engine_load load{};
    load.format = spec_.format.c_str();
    load.path = path.empty() ? nullptr : path.c_str();
    load.data = bytes.empty() ? nullptr : bytes.data();
    load.size = bytes.size();
    load.device = device_.c_str();
    load.threads = request.threads;
    load.output_count = 1;
    load.options = request.engine_options.empty() ? nullptr : request.engine_options.c_str();
    load.host_environment = &FloatingPointHold::host_environment;
    load.input_count = inputs;
    surrogate_program *program = nullptr;
    EngineText message;
    const int status = engine_->load(&program, &load, message.error());
    if (status != 0 || !program)
        fail(status < 0 ? status : SURROGATE_ERROR_ENGINE, "engine ", engine_version(), " cannot load program '",
             spec_.name, "' on ", device_, ": ", message.text());
    handle_.reset(program);
}

surrogate_tensor Program::run(const surrogate_tensor *inputs, int count, void *stream) {
    surrogate_tensor output{};
    EngineText message;
    const int status = engine_->run(handle_.get(), &output, inputs, count, stream, message.error());
    if (status != 0)
        fail(status < 0 ? status : SURROGATE_ERROR_EXECUTION, "program '", spec_.name, "' (", spec_.engine, ", ",
             spec_.format, ", ", spec_.precision, ") failed: ", message.text());
    return output;
}

} // namespace surrogate::core
