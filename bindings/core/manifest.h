// What a bundle says of itself: the C++ side of surrogate/bundle/manifest.py.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace surrogate::core {

constexpr int SCHEMA_VERSION = 1;

struct Bounds {
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
};

enum class Prediction { none, increment, frame };

struct FieldSpec {
    std::string name, unit = "1", staggering = "cell";
    int components = 1;
    int first_input = 0;                 // channel of component 0 in the program's input
    int first_output = -1;               // and in its output; -1: not predicted
    std::vector<double> mean, deviation; // the program reads (u - mean) / deviation
    Prediction prediction = Prediction::none;
    std::vector<double> scale, offset; // of the program's output
    std::vector<double> trained_jump;  // rms of the increments in training, one a component; empty: not recorded
};

struct Grid {
    int rank = 0;
    std::vector<std::string> axes;
    bool fixed = false;
    std::int64_t fixed_shape[3] = {}, multiple_of[3] = {}, minimum_shape[3] = {};
    int boundary[3] = {};
    double spacing[3] = {};
    std::string spacing_unit = "1";
};

struct Parameter {
    std::string name, unit = "1";
    double lower = 0, upper = 0, preset = 0;
};

struct Locality {
    std::int64_t receptive_field[3] = {}, stride[3] = {};
    bool reduces_over_space = false;
};

/// Engine, format, device and precision may be names of a later version: Program::choose passes those over.
struct ProgramSpec {
    std::string name, engine, format, file, device = "any", precision = "fp32";
};

/// A random input of the program, drawn for every step.
struct Noise {
    std::string name;
    int channels = 1;
};

struct GuardSpec {
    bool finite = true;
    std::vector<Bounds> bounds;           // one a field
    std::optional<double> largest_spread; // rms of the standard deviation over members, over the trained jump
};

struct FileEntry {
    std::int64_t bytes = 0;
    std::string sha256;
};

struct Manifest {
    std::string name;
    std::vector<FieldSpec> fields;
    Grid grid;
    double time_step = 0;
    std::string time_unit = "1";
    int history = 1; // frames that the program reads, newest first
    std::vector<Parameter> parameters;
    std::vector<Noise> noise;
    Locality locality;
    std::vector<ProgramSpec> programs;
    GuardSpec guards;
    std::string example; // file; "" if there is none
    double tolerance = 0;
    std::map<std::string, FileEntry> files;
    int input_channels = 0, output_channels = 0;

    std::vector<std::string> field_names() const;
};

/// Parse and validate `manifest.json`; `label` names the file in messages.
/// Throws ERROR_CORRUPT, or ERROR_SCHEMA if it was written for a newer library.
Manifest parse_manifest(std::string_view document, const std::string &label);

/// Guards after `overrides` (a JSON object {"finite": bool, "bounds": {FIELD: {"lower": x, "upper": x}}}, or NULL):
/// a key that is given replaces the manifest's, null removes it. Throws ERROR_ARGUMENT.
GuardSpec merged_guards(const Manifest &manifest, const char *overrides);

} // namespace surrogate::core
