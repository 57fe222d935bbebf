// Which program of a bundle and its overlay is run, and why.
#include "error.h"
#include "host.h"
#include "json_node.h"
#include "overlay.h"
#include "program.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace surrogate::core {

namespace {

/// A program that might be run.
struct Candidate {
    std::size_t place; // in the bundle's order, then the overlay's
    ProgramSpec spec;
    const OverlayEntry *entry; // NULL: of the bundle itself
    const Timing *timing;      // NULL: never timed on this machine
    std::string refusal;       // why this machine cannot run it, found without reading its files; "" if it can
};

bool is_one_of(const std::string &name, std::initializer_list<const char *> known) {
    return std::find(known.begin(), known.end(), name) != known.end();
}

/// What of a program this version does not know; "" if nothing. An engine is known when its plugin is found.
std::string unknown(const ProgramSpec &program) {
    const auto tell = [](const char *what, const std::string &name) {
        return text("this version does not know ", what, " '", name, "'");
    };
    if (!is_one_of(program.format, {"torchscript", "aoti", "tensorrt", "torch.export", "python", "stub"}))
        return tell("format", program.format);
    if (!is_one_of(program.device, {"any", "cpu", "cuda"}))
        return tell("device", program.device);
    if (!is_one_of(program.precision, {"fp32", "bf16", "fp16"}))
        return tell("precision", program.precision);
    return "";
}

/// Why the request excludes a program; "" if it does not.
std::string unfit(const ProgramSpec &program, const Request &request) {
    if (!request.program.empty() && program.name != request.program)
        return text("program '", request.program, "' was asked for");
    if (!request.engine.empty() && program.engine != request.engine)
        return text("needs engine ", program.engine, ", ", request.engine, " was asked for");
    if (const std::string why = unknown(program); !why.empty())
        return why;
    if ((program.format == "python" || program.engine == "python") && request.engine != "python")
        return "runs Python code, which is never chosen unasked: open with engine \"python\" if you trust it";
    if (program.format == "torch.export")
        return "format torch.export is for lowering and for tests, no engine runs it";
    if (program.device != "any" && request.device.compare(0, program.device.size(), program.device) != 0)
        return text("runs on ", program.device, ", ", request.device, " was asked for");
    if (!request.precision.empty() && program.precision != request.precision)
        return text("is ", program.precision, ", ", request.precision, " was asked for");
    return "";
}

/// Why a program of an overlay that this machine could run does not fit engine or files; "" if it does. Nothing of it
/// has been loaded by then.
std::string inadmissible(const OverlayEntry &entry, const Request &request) {
    const surrogate_engine &engine = find_engine(entry.program.engine, request.engine_path.c_str());
    if (const std::string version = engine.version ? engine.version : ""; entry.made_with != version)
        return text("made with ", entry.made_with, ", the engine is ", version);
    return damaged(entry);
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

/// Fail if a name that is asked for is nowhere, or names what cannot be run.
void check_names(const std::vector<Candidate> &candidates, const Request &request) {
    std::vector<std::string> names, engines, runnable;
    const ProgramSpec *named = nullptr;
    for (const auto &candidate : candidates) {
        const ProgramSpec &spec = candidate.spec;
        names.push_back(spec.name);
        if (std::find(engines.begin(), engines.end(), spec.engine) == engines.end())
            engines.push_back(spec.engine);
        if (spec.format != "torch.export")
            runnable.push_back(spec.name);
        named = spec.name == request.program ? &spec : named;
    }
    if (!request.program.empty() && !named)
        fail(SURROGATE_ERROR_ARGUMENT, "options.program '", request.program, "' is not in the bundle",
             suggestion(request.program, names), "; it has ", names_text(names));
    if (named && named->format == "torch.export")
        fail(SURROGATE_ERROR_UNSUPPORTED, "options.program '", request.program,
             "' is of format torch.export, which no engine runs: `surrogate lower` starts from it; leave "
             "options.program out, or name one of ",
             names_text(runnable));
    if (!request.engine.empty() && std::find(engines.begin(), engines.end(), request.engine) == engines.end())
        fail(SURROGATE_ERROR_UNSUPPORTED, "options.engine '", request.engine, "' is needed by no program of the bundle",
             suggestion(request.engine, engines), "; leave it out, or name one of ", names_text(engines));
}

void check_request(const Request &request) {
    check_device(request.device);
    const auto &precision = request.precision;
    if (!precision.empty() && precision != "fp32" && precision != "bf16" && precision != "fp16")
        fail(SURROGATE_ERROR_ARGUMENT, "options.precision '", precision,
             "' given, expected \"fp32\", \"bf16\", \"fp16\"");
    if (!request.engine_options.empty()) {
        JsonDocument storage;
        JsonNode::parse(storage, request.engine_options, "options.engine_options", SURROGATE_ERROR_ARGUMENT).members();
    }
}

/// Why an entry is none of the sampler's programs; "" if it is, or if there is no sampler.
std::string stepless(const OverlayEntry &entry, const Sampler &sampler) {
    if (!sampler || std::count(sampler.steps.begin(), sampler.steps.end(), entry.program.steps))
        return "";
    return text("makes ", entry.program.steps, " steps, none of the sampler's");
}

/// All programs of `steps` (nothing: any), in the order in which they are tried. Those refused at once come first, so
/// that the choice tells it.
std::vector<Candidate> candidates_of(const Bundle &bundle, const Overlay &overlay, const Request &request,
                                     std::optional<std::int64_t> steps) {
    const int threads = request.threads > 0 ? request.threads : default_threads();
    std::vector<Candidate> candidates;
    for (const auto &spec : bundle.manifest().programs) {
        if (steps && spec.steps != *steps)
            continue;
        const auto known = overlay.timings.find(spec.name);
        const Timing *timing = known == overlay.timings.end() ? nullptr : best_timing(known->second, threads);
        candidates.push_back({candidates.size(), spec, nullptr, timing, ""});
    }
    for (const auto &entry : overlay.entries) {
        std::string why = foreign(entry, bundle.manifest_hash(), request.device);
        if (why.empty())
            why = stepless(entry, bundle.manifest().sampler);
        if (!why.empty() || !steps || entry.program.steps == *steps)
            candidates.push_back(
                {candidates.size(), entry.program, &entry, best_timing(entry.timings, threads), std::move(why)});
    }
    // std::stable_sort would allocate, and hide that it could not.
    std::sort(candidates.begin(), candidates.end(), [](const Candidate &a, const Candidate &b) {
        if (a.refusal.empty() != b.refusal.empty())
            return b.refusal.empty();
        const double never = std::numeric_limits<double>::infinity(); // timed
        const double first = a.timing ? a.timing->per_cell() : never, second = b.timing ? b.timing->per_cell() : never;
        return first != second ? first < second : a.place < b.place;
    });
    return candidates;
}

/// "the fastest of 3 by timings on this machine (7.9 ms for 16384 cells, 1 thread)"
std::string merit(const Candidate &chosen, std::size_t count) {
    if (!chosen.timing)
        return text("the first of ", count, " that fits and loads");
    const Timing &timing = *chosen.timing;
    return text("the fastest of ", count, " that fits and loads, by timings on this machine (",
                std::round(timing.milliseconds * 1000) / 1000, " ms for ", timing.batch * timing.cells, " cells, ",
                timing.threads, timing.threads == 1 ? " thread)" : " threads)");
}

int input_count(const Manifest &manifest) {
    return 1 + (manifest.parameter_columns() ? 1 : 0) + static_cast<int>(manifest.noise.size());
}

} // namespace

Program Program::load(const Bundle &bundle, const Request &request, const ProgramSpec &spec, const OverlayEntry *entry,
                      const std::vector<const Program *> &siblings) {
    const bool in_bundle = !entry && !spec.file.empty(); // a program of format python may have no file
    const Bytes bytes = in_bundle ? bundle.read_checked(spec.file) : Bytes();
    const std::string path = in_bundle ? bundle.file_path(spec.file) : spec.file;
    return Program(spec, request, path, bytes, input_count(bundle.manifest()), siblings);
}

Program Program::choose(const Bundle &bundle, const Request &request, std::optional<std::int64_t> steps,
                        const std::vector<const Program *> &siblings) {
    check_request(request);
    if (request.engine == "none")
        return Program(request);
    const Overlay overlay = read_overlay(request.overlay, bundle.manifest_hash(), request.device);
    const auto candidates = candidates_of(bundle, overlay, request, steps);
    check_names(candidates, request);
    std::string report, passed_over;
    int status = SURROGATE_ERROR_UNSUPPORTED, tried = 0;
    for (const auto &candidate : candidates) {
        const ProgramSpec &spec = candidate.spec;
        std::string why = candidate.refusal.empty() ? unfit(spec, request) : candidate.refusal;
        try {
            if (why.empty() && candidate.entry)
                why = inadmissible(*candidate.entry, request);
            if (why.empty()) {
                Program program = load(bundle, request, spec, candidate.entry, siblings);
                program.deviation_ = candidate.entry ? candidate.entry->deviation : 0;
                program.choice_ =
                    text("program ", summary(spec), " on ", program.device_, " with ", program.engine_version(), ": ",
                         merit(candidate, candidates.size()), passed_over);
                return program;
            }
        } catch (const Error &error) {
            const bool damage =
                error.status() == SURROGATE_ERROR_CORRUPT || error.status() == SURROGATE_ERROR_NOT_FOUND;
            // A damaged bundle is not to be papered over with another program of it, nor want of memory.
            if ((damage && !candidate.entry) || error.status() == SURROGATE_ERROR_MEMORY)
                throw;
            why = error.text();
            status = error.status();
            ++tried;
        }
        report += text(report.empty() ? " " : "; ", summary(spec), ": ", why);
        passed_over += text(passed_over.empty() ? "; passed over: '" : ", '", spec.name, "' (",
                            why.substr(0, why.find_first_of(";\n")), ")");
    }
    fail(status, bundle.label(), ": no program of the bundle", steps ? text(" that makes ", *steps, " steps") : "",
         " can run (",
         tried ? "" : "none fits this version and the options; device and precision are options of open; ",
         "tried in order):", report);
}

} // namespace surrogate::core
