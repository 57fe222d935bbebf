// The manifest: what is read, and that every damaged one is an error that names its key.
#include "bundle.h"
#include "check.h"
#include "error.h"
#include "manifest.h"

#include <nlohmann/json.hpp>

#include <random>

using namespace surrogate::core;
using nlohmann::json;

static json good() {
    return json::parse(R"({
        "format": {"name": "surrogate-bundle", "version": 1}, "name": "m", "description": "", "created": "",
        "fields": [
          {"name": "b", "unit": "G", "components": 3, "staggering": "face_x", "description": "", "conserved": true,
           "normalisation": {"mean": [1, 2, 3], "std": [4, 5, 6]}, "prediction": null,
           "trained_range": [[0, 1], [0, 1], [0, 1]]},
          {"name": "p", "normalisation": {"mean": [0], "std": [1]}, "scaling": {"kind": "asinh", "softening": 50},
           "prediction": {"kind": "frame", "scale": [2], "offset": [3]}}],
        "grid": {"axes": ["z", "y", "x"], "fixed_shape": null, "multiple_of": [1, 2, 3], "minimum_shape": [4, 5, 6],
                 "boundary": ["periodic", "wall", "open"], "spacing": null, "spacing_unit": "Mm"},
        "time": {"step": 2.5, "unit": "min"},
        "parameters": [{"name": "nu", "unit": "1", "range": [0, 2], "preset": 1},
                       {"name": "guidance", "range": [0, 3], "preset": 1}],
        "noise": [{"name": "xi", "channels": 2}],
        "locality": {"receptive_field": [1, 2, 3], "stride": [1, 1, 2], "reduces_over_space": true},
        "programs": [{"name": "a", "engine": "torch", "format": "torchscript", "file": "p/a.pt", "device": "cuda",
                      "precision": "bf16", "made_with": "torch 2.13.0", "steps": 4, "method": "steps_4"},
                     {"name": "b", "engine": "torch", "format": "torchscript", "file": "p/a.pt", "steps": 1}],
        "sampler": {"method": "flow", "kind": "heun", "steps": [1, 4], "preset": 4, "members": 64, "guidance": 3},
        "text": {"length": 5, "vocabulary": ["<pad>", "<unknown>", "a", "1.5e-3"]},
        "guards": {"finite": true, "bounds": {"p": {"lower": 0.0, "upper": null}}},
        "example": {"tolerance": 0.1}, "metrics": {"x": [1]}, "provenance": {"y": null},
        "files": {"p/a.pt": {"bytes": 3, "sha256": "0000000000000000000000000000000000000000000000000000000000000000"},
                  "example.safetensors":
                  {"bytes": 3, "sha256": "0000000000000000000000000000000000000000000000000000000000000000"}}})");
}

static void what_is_read() {
    const Manifest m = parse_manifest(good().dump(), "test");
    CHECK(m.fields.size() == 2 && m.input_channels == 4 && m.output_channels == 1);
    CHECK(m.fields[1].first_input == 3 && m.fields[1].first_output == 0 && m.fields[0].first_output == -1);
    CHECK(m.fields[1].prediction == Prediction::frame && m.fields[1].unit == "1" && m.fields[0].deviation[2] == 6);
    CHECK(m.grid.rank == 3 && !m.grid.fixed && m.grid.multiple_of[2] == 3 && m.grid.boundary[1] == 2);
    CHECK(m.time_step == 2.5 && m.parameters[0].upper == 2 && m.locality.reduces_over_space);
    CHECK(m.noise.size() == 1 && m.noise[0].name == "xi" && m.noise[0].channels == 2);
    CHECK(m.programs[0].device == "cuda" && m.example == "example.safetensors" && m.tolerance == 0.1);
    CHECK(m.programs[0].steps == 4 && m.programs[0].method == "steps_4" && m.programs[1].method.empty());
    CHECK(m.sampler && m.sampler.kind == "heun" && m.sampler.steps.size() == 2 && m.sampler.preset == 4);
    CHECK(m.sampler.members == 64 && m.sampler.guided && m.sampler.guidance == 3);
    CHECK(m.text.length == 5 && m.text.ids.at("1.5e-3") == 3 && m.parameter_columns() == 7);
    CHECK(m.guards.bounds[1].lower == 0 && m.guards.bounds[1].upper > 1e308);
}

/// Parse `good` after `pointer` was replaced; the error's status, its text in `text`.
static int changed(const char *pointer, const json &value, std::string &text) {
    json manifest = good();
    manifest[json::json_pointer(pointer)] = value;
    try {
        parse_manifest(manifest.dump(), "test");
        return 0;
    } catch (const Error &error) {
        text = error.text();
        return error.status();
    }
}

static void every_key_is_validated() {
    struct Case {
        const char *pointer;
        json value;
        const char *part;
    };
    const Case cases[] = {
        {"/fields", json::array(), "fields: [] given, expected at least one"},
        {"/fields/0/components", 0, "fields[0].components: 0 given"},
        {"/fields/0/components", 2, "fields[0].normalisation.mean: 3 entries given, expected 2"},
        {"/fields/0/components", 1e300, "fields[0].components"},
        {"/fields/0/name", "p", "stands twice"},
        {"/fields/0/name", 3, "fields[0].name: 3 given, expected a string"},
        {"/fields/0/staggering", "middle", "expected one of 'cell'"},
        {"/fields/1/prediction", nullptr, "no field is predicted"},
        {"/fields/1/prediction/kind", "jump", "expected one of 'increment', 'frame'"},
        {"/fields/1/prediction/scale", json::array({0}), "fields[1].prediction.scale[0]: 0 given"},
        {"/fields/1/normalisation/std", json::array({1, 2}), "2 entries given, expected 1"},
        {"/fields/1/scaling", "asinh", "fields[1].scaling"},
        {"/fields/1/scaling/kind", "log", "expected one of 'linear', 'asinh'"},
        {"/fields/1/scaling/softening", 0, "fields[1].scaling.softening: 0 given"},
        {"/fields/1/scaling/soft", 1, "unknown key 'soft'"},
        {"/grid/axes", json::array({"y", "q"}), "grid.axes[1]"},
        {"/grid/axes", json::array(), "one to three axes"},
        {"/grid/multiple_of", json::array({1, 1, 0}), "grid.multiple_of[2]: 0 given"},
        {"/grid/fixed_shape", json::array({1}), "grid.fixed_shape: 1 entries given, expected 3"},
        {"/grid/boundary/0", "torus", "grid.boundary[0]"},
        {"/time/step", -1, "time.step"},
        {"/time/stp", 1, "did you mean 'step'"},
        {"/parameters/0/preset", 5, "parameters[0].preset: 5 given, expected a number in the range 0 to 2"},
        {"/locality/stride", 7, "locality.stride: 7 given, expected an array"},
        {"/programs/0/engine", "", "programs[0].engine: \"\" given, expected a name"},
        {"/programs/0/format", 7, "programs[0].format: 7 given, expected a string"},
        {"/programs/0/device", "", "programs[0].device"},
        {"/programs/0/precision", "", "programs[0].precision"},
        {"/noise", 3, "noise: 3 given, expected an array"},
        {"/noise/0/name", "", "noise[0].name"},
        {"/noise/0/channels", 0, "noise[0].channels: 0 given"},
        {"/noise/1", json({{"name", "xi"}, {"channels", 1}}), "noise[1].name: the name 'xi' stands twice"},
        {"/noise/0/seed", 1, "unknown key 'seed'"},
        {"/sampler", nullptr, "programs[0].steps: 4 given, expected none: the manifest has no sampler"},
        {"/sampler/nfe", 3, "unknown key 'nfe'"},
        {"/sampler/method", "", "sampler.method"},
        {"/sampler/steps", json::array(), "sampler.steps: [] given, expected one number"},
        {"/sampler/steps", {4, 1}, "sampler.steps[1]: 1 given, expected more than 4"},
        {"/sampler/steps", {1, 2, 4}, "sampler.steps: no program makes 2 steps"},
        {"/sampler/steps", {4}, "programs[1].steps: 1 given, expected one of sampler.steps [4]"},
        {"/sampler/steps", {4, 1e300}, "sampler.steps[1]"},
        {"/sampler/preset", 2, "sampler.preset: 2 given, expected one of sampler.steps [1, 4]"},
        {"/sampler/members", 0, "sampler.members: 0 given"},
        {"/sampler/guidance", 0, "sampler.guidance: 0 given"},
        {"/sampler/guidance", 2, "sampler.guidance: given, so expected 'guidance' as the last"},
        {"/sampler/guidance", nullptr, "parameters: 'guidance' given, but sampler.guidance is null"},
        {"/parameters/1/name", "mu", "sampler.guidance: given, so expected"},
        {"/parameters/0", good()["parameters"][1], "sampler.guidance: given, so expected"},
        {"/programs/1/steps", nullptr, "programs[1]: has no key 'steps', expected one of sampler.steps [1, 4]"},
        {"/programs/1/name", "a", "programs[1].name: the name 'a' stands twice"},
        {"/programs/0/method", "steps 4", "programs[0].method: \"steps 4\" given, expected an identifier"},
        {"/text/length", 0, "text.length: 0 given"},
        {"/text/length", 5000, "text.length: 5000 given, expected at most"},
        {"/text/vocabulary", {"a", "b"}, "text.vocabulary: expected words that begin with '<pad>', '<unknown>'"},
        {"/text/vocabulary/2", "A", "text.vocabulary[2]: \"A\" given, expected a word"},
        {"/text/vocabulary/3", "a", "text.vocabulary[3]: the word 'a' stands twice"},
        {"/programs/0/file", "other.pt", "'other.pt' is used but has no entry"},
        {"/guards/bounds/q", json::object(), "no field 'q'"},
        {"/guards/bounds/p/upper", -5, "above upper bound"},
        {"/example/tolerance", 0, "example.tolerance"},
        {"/files/x", json({{"bytes", -1}, {"sha256", ""}}), "files.x.bytes: -1 given"},
        {"/files/x", json({{"bytes", 1}, {"sha256", "ABC"}}), "files.x.sha256"},
        {"/format/name", "onnx", "format.name"},
        {"/format/version", "1", "format.version"},
    };
    for (const Case &c : cases) {
        std::string text;
        const int status = changed(c.pointer, c.value, text);
        if (status != SURROGATE_ERROR_CORRUPT || text.find(c.part) == std::string::npos) {
            std::fprintf(stderr, "%s: status %d, '%s' not in: %s\n", c.pointer, status, c.part, text.c_str());
            ++failures;
        }
    }
    std::string text;
    CHECK(changed("/format/version", 2, text) == SURROGATE_ERROR_SCHEMA);
    CHECK(changed("/fields/0/staggering", "corner", text) == 0);
    CHECK(changed("/text", nullptr, text) == 0);
    CHECK(changed("/noise", json::array(), text) == 0 && changed("/noise", nullptr, text) == 0);
    for (const char *key : {"engine", "format", "device", "precision"}) // names of a later version
        CHECK(changed(("/programs/0/" + std::string(key)).c_str(), "of tomorrow", text) == 0);
}

static void damage_is_an_error_and_no_more() {
    const std::string whole = good().dump();
    std::mt19937 random(11);
    for (int i = 0; i < 3000; ++i) {
        std::string damaged = whole;
        if (i % 3 == 0)
            damaged.resize(random() % whole.size());
        else
            for (int k = 0; k < 1 + i % 4; ++k)
                damaged[random() % damaged.size()] =
                    static_cast<char>(i % 2 ? random() : "0[]{}\",:-e."[random() % 11]);
        try {
            parse_manifest(damaged, "test");
        } catch (const Error &error) {
            CHECK(error.status() == SURROGATE_ERROR_CORRUPT || error.status() == SURROGATE_ERROR_SCHEMA);
        }
    }
    try {
        parse_manifest(std::string(200000, '['), "test");
        CHECK(false);
    } catch (const Error &error) {
        CHECK(error.status() == SURROGATE_ERROR_CORRUPT);
    }
}

static void file_names_stay_inside() {
    for (const char *name : {"a", "programs/a.pt", "a..b/c", ".hidden"})
        CHECK(stays_inside(name));
    for (const char *name : {"", "/", "/a", "..", "../a", "a/../b", "a/..", "./a", "a//b", "a/", "a\\b", "C:a"})
        CHECK(!stays_inside(name));
    CHECK(!stays_inside(std::string("a\0b", 3)));
}

static void near_names_are_suggested() {
    CHECK(nearest("presure", {"rho", "pressure", "p"}) == "pressure");
    CHECK(nearest("RHO", {"rho", "p"}) == "rho");
    CHECK(nearest("temperature", {"rho", "p"}).empty());
}

int main() {
    what_is_read();
    every_key_is_validated();
    damage_is_an_error_and_no_more();
    file_names_stay_inside();
    near_names_are_suggested();
    return finish();
}
