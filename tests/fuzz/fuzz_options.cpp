// The JSON options of open: first the guards, after a line "@@" the engine's; over a good bundle.
#include "archive.h"

#include <cstdint>
#include <cstdlib>

static const char *const BUNDLE = R"(+
@@ manifest.json
{"name": "options", "files": {"p.json": {}},
 "fields": [{"name": "u", "normalisation": {"mean": [0], "std": [1]},
             "prediction": {"kind": "increment", "scale": [1], "offset": [0]}, "conserved": true,
             "trained_range": [[-2, 2]], "trained_statistics": {"mean": [[0, 1]], "std": [[1, 1]]},
             "trained_jump": [0.5]},
            {"name": "v", "components": 2, "normalisation": {"mean": [0, 0], "std": [1, 1]}}],
 "grid": {"axes": ["x"], "multiple_of": [1], "minimum_shape": [1], "boundary": ["open"]},
 "time": {"step": 1}, "locality": {"receptive_field": [0], "stride": [1]},
 "guards": {"bounds": {"u": {"lower": 0}}},
 "programs": [{"name": "s", "engine": "stub", "format": "stub", "file": "p.json"}]}
@@ p.json
{"operation": "affine", "scale": [1], "offset": [0], "channels": [0]})";

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    static const Archive archive = unpack(BUNDLE);
    static const auto files = files_of(archive);
    std::string guards(reinterpret_cast<const char *>(data), size), engine;
    if (const auto mark = guards.find("\n@@\n"); mark != std::string::npos) {
        engine = guards.substr(mark + 4);
        guards.resize(mark);
    }
    surrogate_open_options options;
    surrogate_open_options_init(&options, sizeof options);
    options.guards = guards.c_str();
    options.engine_options = engine.c_str();
    surrogate_model *model = nullptr;
    const int status = surrogate_open_memory(&model, files.data(), files.size(), &options);
    // NOT_FOUND: guards that do not begin with '{' are the path of a file.
    if ((status != SURROGATE_OK && status != SURROGATE_ERROR_ARGUMENT && status != SURROGATE_ERROR_MEMORY &&
         status != SURROGATE_ERROR_NOT_FOUND) ||
        (status == SURROGATE_OK) != (model != nullptr))
        std::abort();
    const double now[9] = {0.5, 1, -3, 0, 7, 0.25, 1, 1, 2};
    double next[9] = {-7, -7, -7, -7, -7, -7, -7, -7, -7};
    const std::int64_t shape[2] = {3, 3};
    const int answer = model ? surrogate_predict_array(model, next, now, SURROGATE_FLOAT64, 2, shape, nullptr) : 1;
    if ((answer != SURROGATE_OK && next[0] != -7) || next[3] != -7)
        std::abort(); // refused, or only read, and written all the same
    surrogate_close(model);
    return 0;
}
