#include "program.h"

#include "error.h"
#include "json_node.h"

#include <algorithm>

namespace surrogate::core {

namespace {

bool fits_device(const ProgramSpec &program, const std::string &device) {
    return program.device == "any" || device.compare(0, program.device.size(), program.device) == 0;
}

template <class Value, class Known> bool is_one_of(const Value &value, std::initializer_list<Known> known) {
    return std::find(known.begin(), known.end(), value) != known.end();
}

/// What of a program this version does not know; "" if nothing. An engine is known when its plugin is found.
std::string unknown(const ProgramSpec &program) {
    const auto tell = [](const char *what, const std::string &name) {
        return text("this version does not know ", what, " '", name, "'");
    };
    if (!is_one_of(program.format, {"torchscript", "torch.export", "stub"}))
        return tell("format", program.format);
    if (!is_one_of(program.device, {"any", "cpu", "cuda"}))
        return tell("device", program.device);
    if (!is_one_of(program.precision, {"fp32", "bf16", "fp16"}))
        return tell("precision", program.precision);
    return "";
}

/// Why a program is not tried; "" if it is.
std::string unfit(const ProgramSpec &program, const Request &request) {
    if (!request.program.empty() && program.name != request.program)
        return text("program '", request.program, "' was asked for");
    if (!request.engine.empty() && program.engine != request.engine)
        return text("needs engine ", program.engine, ", ", request.engine, " was asked for");
    if (const std::string why = unknown(program); !why.empty())
        return why;
    if (program.format == "torch.export")
        return "format torch.export is for lowering and for tests, no engine runs it";
    if (!fits_device(program, request.device))
        return text("runs on ", program.device, ", ", request.device, " was asked for");
    if (!request.precision.empty() && program.precision != request.precision)
        return text("is ", program.precision, ", ", request.precision, " was asked for");
    return "";
}

std::string summary(const ProgramSpec &program) {
    return text("'", program.name, "' (", program.engine, ", ", program.format, ", ", program.precision, ")");
}

void check_device(const std::string &device) {
    const bool ordinal = device.size() > 5 && device.compare(0, 5, "cuda:") == 0 && device.size() < 9 &&
                         device.find_first_not_of("0123456789", 5) == std::string::npos;
    if (device != "cpu" && device != "cuda" && !ordinal)
        fail(SURROGATE_ERROR_ARGUMENT, "options.device '", device, "' given, expected \"cpu\", \"cuda\" or \"cuda:N\"");
}

void check_request(const Manifest &manifest, const Request &request) {
    check_device(request.device);
    const auto &precision = request.precision;
    if (!precision.empty() && precision != "fp32" && precision != "bf16" && precision != "fp16")
        fail(SURROGATE_ERROR_ARGUMENT, "options.precision '", precision,
             "' given, expected \"fp32\", \"bf16\", \"fp16\"");
    if (!request.engine_options.empty()) {
        JsonDocument storage;
        JsonNode::parse(storage, request.engine_options, "options.engine_options", SURROGATE_ERROR_ARGUMENT).members();
    }
    std::vector<std::string> names;
    bool known = request.program.empty();
    for (const auto &program : manifest.programs) {
        names.push_back(program.name);
        known = known || program.name == request.program;
    }
    if (!known)
        fail(SURROGATE_ERROR_ARGUMENT, "options.program '", request.program, "' is not in the bundle",
             suggestion(request.program, names), "; it has ", names_text(names));
}

} // namespace

Program::Program(const Bundle &bundle, const ProgramSpec &spec, const Request &request)
    : spec_(spec), device_(request.device == "cuda" ? "cuda:0" : request.device),
      engine_(&find_engine(spec.engine, request.engine_path.c_str())), handle_(nullptr, Destroy{engine_}) {
    const Bytes bytes = bundle.read_checked(spec.file);
    const std::string path = bundle.file_path(spec.file);
    surrogate_engine_load load{};
    load.format = spec_.format.c_str();
    load.path = path.empty() ? nullptr : path.c_str();
    load.data = bytes.data();
    load.size = bytes.size();
    load.device = device_.c_str();
    load.threads = request.threads;
    load.output_count = 1;
    load.options = request.engine_options.empty() ? nullptr : request.engine_options.c_str();
    load.host_environment = &FloatingPointHold::host_environment;
    surrogate_program *program = nullptr;
    EngineText message;
    const int status = engine_->load(&program, &load, message.error());
    if (status != 0 || !program)
        fail(status < 0 ? status : SURROGATE_ERROR_ENGINE, "engine ", engine_version(), " cannot load program ",
             summary(spec), " on ", device_, ": ", message.text());
    handle_.reset(program);
}

Program Program::choose(const Bundle &bundle, const Request &request) {
    const Manifest &manifest = bundle.manifest();
    check_request(manifest, request);
    std::string report, passed_over;
    int status = SURROGATE_ERROR_UNSUPPORTED, tried = 0;
    for (const auto &spec : manifest.programs) {
        std::string why = unfit(spec, request);
        if (why.empty()) {
            try {
                Program program(bundle, spec, request);
                program.choice_ =
                    text("program ", summary(spec), " on ", program.device_, " with ", program.engine_version(),
                         ": the first of ", manifest.programs.size(), " that fits and loads", passed_over);
                return program;
            } catch (const Error &error) {
                // A damaged bundle is not to be papered over with another program of it, nor want of memory.
                if (is_one_of(error.status(),
                              {SURROGATE_ERROR_CORRUPT, SURROGATE_ERROR_NOT_FOUND, SURROGATE_ERROR_MEMORY}))
                    throw;
                why = error.text();
                status = error.status();
                ++tried;
            }
        }
        report += text(report.empty() ? " " : "; ", summary(spec), ": ", why);
        passed_over += text(passed_over.empty() ? "; passed over: '" : ", '", spec.name, "' (",
                            why.substr(0, why.find_first_of(";\n")), ")");
    }
    fail(status, bundle.label(), ": no program of the bundle can run (",
         tried ? "" : "none fits this version and the options; device and precision are options of open; ",
         "tried in order):", report);
}

surrogate_tensor Program::run(const surrogate_tensor *inputs, int count, void *stream) {
    surrogate_tensor output{};
    EngineText message;
    const int status = engine_->run(handle_.get(), &output, inputs, count, stream, message.error());
    if (status != 0)
        fail(status < 0 ? status : SURROGATE_ERROR_EXECUTION, "program ", summary(spec_), " failed: ", message.text());
    return output;
}

} // namespace surrogate::core
