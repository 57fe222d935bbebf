// Engines and programs that fail, one row each: while the engine is found, while a program is loaded, while it runs.
#include "flow_bundle.h"

namespace {

fs::path out;

surrogate_model *open(const FlowBundle &bundle, int status, const char *text, const char *engine_path = nullptr,
                      const char *engine_options = nullptr) {
    const fs::path folder = out / "flow.surrogate";
    fs::remove_all(folder);
    bundle.write(folder);
    surrogate_open_options options;
    surrogate_open_options_init(&options, sizeof options);
    options.engine_path = engine_path;
    options.engine_options = engine_options;
    auto *model = reinterpret_cast<surrogate_model *>(1);
    CHECK_STATUS(surrogate_open(&model, folder.c_str(), &options), status, text);
    CHECK((model != nullptr) == (status == SURROGATE_OK));
    return model;
}

struct EngineFault {
    const char *name; // of the engine: its file is libsurrogate_engine_<name>.so
    const char *text;
    void (*make)(const fs::path &path); // NULL: CMake has built it
};

const EngineFault ENGINE_FAULTS[] = {
    {"missing", "no engine 'missing' works here", nullptr},
    {"symbol", "it exports no surrogate_engine_entry", nullptr},
    {"abi", "it has engine interface", nullptr},
    {"name", "it calls itself 'somebody else'", nullptr},
    {"no_name", "it calls itself ''", nullptr},
    {"nothing", "it has engine interface 0", nullptr},
    {"function", "it lacks a function", nullptr},
    {"entry", "this process holds another version of it", nullptr},
    {"null_program", "no reason was given", nullptr},
    {"text", "libsurrogate_engine_text.so: ", [](const fs::path &path) { std::ofstream(path) << "no library"; }},
    {"empty", "libsurrogate_engine_empty.so: ", [](const fs::path &path) { std::ofstream{path}; }},
    {"folder", "libsurrogate_engine_folder.so: ", [](const fs::path &path) { fs::create_directory(path); }},
    {"dangling",
     "libsurrogate_engine_dangling.so: ", [](const fs::path &path) { fs::create_symlink("nowhere", path); }},
    {"truncated", "truncated: it has 9000 bytes",
     [](const fs::path &path) {
         fs::copy_file(path.parent_path() / "libsurrogate_engine_abi.so", path);
         fs::resize_file(path, 9000);
     }},
};

void engines_that_cannot_be_used(const char *built) {
    for (const EngineFault &fault : ENGINE_FAULTS) {
        const fs::path path = fs::path(built) / ("libsurrogate_engine_" + std::string(fault.name) + ".so");
        if (fault.make) {
            fs::remove_all(path);
            fault.make(path);
        }
        FlowBundle bundle;
        bundle.manifest["programs"][0]["engine"] = fault.name;
        open(bundle, SURROGATE_ERROR_ENGINE, fault.text, built);
        // with another program to fall back on, the model opens and says why
        bundle.manifest["programs"].push_back(FlowBundle().manifest["programs"][0]);
        surrogate_model *model = open(bundle, SURROGATE_OK, "", built);
        CHECK(model && predicts_right(model));
        surrogate_close(model);
    }
}

/// An engine that is asked for passes that it has not, or has one half of, is not half used.
void engines_without_passes(const char *built) {
    for (const char *engine : {"stub", "half_passes"}) {
        FlowBundle bundle;
        bundle.manifest["programs"][0]["engine"] = engine;
        open(bundle, SURROGATE_ERROR_UNSUPPORTED, "has no passes of its own", built, R"({"passes": "engine"})");
        open(bundle, SURROGATE_ERROR_ARGUMENT, "passes", built, R"({"passes": "both"})");
    }
}

struct ProgramFault {
    const char *name; // of the stub engine's fault
    int status;
    const char *text;
};

const ProgramFault LOAD_FAULTS[] = {
    {"load", SURROGATE_ERROR_ENGINE, "asks to fail in load"},
    {"throw load", SURROGATE_ERROR_INTERNAL, "an exception of unknown type"},
};

const ProgramFault RUN_FAULTS[] = {
    {"run", SURROGATE_ERROR_EXECUTION, "asks to fail in run"},
    {"message", SURROGATE_ERROR_EXECUTION, "no reason was given"},
    {"text", SURROGATE_ERROR_EXECUTION, "xxx"},
    {"status", SURROGATE_ERROR_EXECUTION, "no reason was given"},
    {"throw", SURROGATE_ERROR_INTERNAL, "an exception of unknown type"},
    {"shape", SURROGATE_ERROR_EXECUTION, "returned shape [1, 4, 8, 13], expected [1, 4, 8, 12]"},
    {"batch", SURROGATE_ERROR_EXECUTION, "returned shape [0, 4, 8, 12]"},
    {"rank", SURROGATE_ERROR_EXECUTION, "returned shape []"},
    {"negative rank", SURROGATE_ERROR_EXECUTION, "returned shape []"},
    {"dtype", SURROGATE_ERROR_EXECUTION, "returned float64"},
    {"memory", SURROGATE_ERROR_EXECUTION, "in memory 1"},
    {"null", SURROGATE_ERROR_EXECUTION, "defect of the engine"},
    {"nothing", SURROGATE_ERROR_EXECUTION, "returned shape []"},
    {"nan", SURROGATE_REJECTED, "predicted field 'v' is not finite at cell [0, 0] of component 1 (value nan)"},
    {"inf", SURROGATE_REJECTED, "predicted field 'v' is not finite at cell [0, 0] of component 1 (value inf)"},
};

void programs_that_fail(bool to_load, const ProgramFault &fault) {
    FlowBundle bundle;
    bundle.program["fail"] = fault.name;
    const bool guarded = fault.status == SURROGATE_REJECTED; // guards do not look at the run that opens
    if (to_load || !guarded)
        open(bundle, fault.status, to_load ? fault.text : "");
    if (to_load)
        return;
    bundle.program["after"] = 1; // the run that opens is good
    bundle.program["times"] = 1;
    surrogate_model *model = open(bundle, SURROGATE_OK, "");
    FlowCall call;
    CHECK_STATUS(call.predict(model), fault.status, fault.text);
    CHECK(call.untouched());
    CHECK(predicts_right(model));
    surrogate_close(model);
    model = open(bundle, SURROGATE_OK, "");
    surrogate_verification result;
    result.struct_size = sizeof result;
    const int status = surrogate_verify(model, &result);
    CHECK(guarded ? status == SURROGATE_OK && result.passed == 0 : status == fault.status);
    CHECK(predicts_right(model));
    surrogate_close(model);
}

} // namespace

int main(int argc, char **argv) {
    start(argc, argv);
    out = argv[1];
    engines_that_cannot_be_used(argc > 2 ? argv[2] : "");
    engines_without_passes(argc > 2 ? argv[2] : "");
    for (const bool to_load : {true, false})
        for (const ProgramFault *fault = to_load ? LOAD_FAULTS : RUN_FAULTS;
             fault != (to_load ? std::end(LOAD_FAULTS) : std::end(RUN_FAULTS)); ++fault) {
            const int before = failures;
            programs_that_fail(to_load, *fault);
            if (failures != before)
                std::fprintf(stderr, "  in the row '%s'\n", fault->name);
        }
    std::printf("%zu faults\n", std::size(ENGINE_FAULTS) + std::size(LOAD_FAULTS) + std::size(RUN_FAULTS) + 4);
    return finish();
}
