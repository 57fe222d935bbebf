#include "program.h"

#include "error.h"
#include "json_node.h"

namespace surrogate::core {

/// Engine option "passes": "host" (default), or "engine".
static bool wants_engine_passes(const std::string &engine_options) {
    if (engine_options.empty())
        return false;
    JsonDocument storage;
    const auto root = JsonNode::parse(storage, engine_options, "options.engine_options", SURROGATE_ERROR_ARGUMENT);
    const auto passes = root.find("passes");
    return passes && passes->one_of({"host", "engine"}) == "engine";
}

Program::Program(const ProgramSpec &spec, const Request &request, const std::string &path, const Bytes &bytes,
                 int inputs, const std::vector<const Program *> &siblings)
    : spec_(spec), device_(request.device == "cuda" ? "cuda:0" : request.device),
      engine_(&find_engine(spec.engine, request.engine_path.c_str())), handle_(nullptr, Destroy{engine_}) {
    passes_in_engine_ = wants_engine_passes(request.engine_options);
    if (passes_in_engine_)
        require_passes();
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
    load.entry = spec_.entry.empty() ? nullptr : spec_.entry.c_str();
    load.method = spec_.method.empty() ? nullptr : spec_.method.c_str();
    load.sibling = share(siblings);
    surrogate_program *program = nullptr;
    EngineText message;
    const int status = engine_->load(&program, &load, message.error());
    if (status != 0 || !program)
        fail(status < 0 ? status : SURROGATE_ERROR_ENGINE, "engine ", engine_version(), " cannot load program '",
             spec_.name, "' on ", device_, ": ", message.text());
    handle_.reset(program);
}

/// Of `siblings`, a program of this one's engine and file; NULL if there is none.
surrogate_program *Program::share(const std::vector<const Program *> &siblings) const {
    for (const Program *other : siblings)
        if (other->engine_ == engine_ && other->spec_.file == spec_.file && !spec_.file.empty())
            return other->handle_.get();
    return nullptr;
}

Program::Program(const Request &request)
    : device_(request.device == "cuda" ? "cuda:0" : request.device),
      choice_("no program was loaded, as engine \"none\" was asked for"), engine_(nullptr),
      handle_(nullptr, Destroy{nullptr}) {
    spec_.engine = "none";
    spec_.precision = "";
}

void Program::require_loaded() const {
    if (!loaded())
        fail(SURROGATE_ERROR_UNSUPPORTED,
             "the model was opened with engine \"none\", which has no program to run; open ",
             "it with another engine, or let another rank run the program (surrogate_parts_begin, surrogate_mpi.h)");
}

void Program::require_passes() const {
    if (!engine_->device_run || !engine_->device_write)
        fail(SURROGATE_ERROR_UNSUPPORTED, "engine ", engine_version(),
             " has no passes of its own, so fields must be in host memory");
}

void Program::fail_run(int status, const EngineText &message) const {
    fail(status < 0 ? status : SURROGATE_ERROR_EXECUTION, "program '", spec_.name, "' (", spec_.engine, ", ",
         spec_.format, ", ", spec_.precision, ") failed: ", message.text());
}

surrogate_tensor Program::run(const surrogate_tensor *inputs, int count, void *stream) {
    surrogate_tensor output{};
    EngineText message;
    if (const int status = engine_->run(handle_.get(), &output, inputs, count, stream, message.error()))
        fail_run(status, message);
    return output;
}

void Program::device_run(surrogate_engine_sums *sources, surrogate_engine_sums *targets,
                         const surrogate_engine_layout &layout, const surrogate_tensor *inputs, int count,
                         void *stream) {
    require_passes();
    if (layout.memory == SURROGATE_CUDA && device_ != text("cuda:", layout.device))
        fail(SURROGATE_ERROR_ARGUMENT, "fields in memory of cuda:", layout.device, " given, but the model runs on ",
             device_, "; open it with options.device \"cuda:", layout.device, "\", or copy the fields");
    EngineText message;
    if (const int status =
            engine_->device_run(handle_.get(), sources, targets, &layout, inputs, count, stream, message.error()))
        fail_run(status, message);
}

void Program::device_write(const surrogate_engine_layout &layout, void *stream) {
    EngineText message;
    if (const int status = engine_->device_write(handle_.get(), &layout, stream, message.error()))
        fail_run(status, message);
}

} // namespace surrogate::core
