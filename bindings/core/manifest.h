// What a bundle says of itself: the C++ side of surrogate/bundle/manifest.py.
#pragma once

#include "guard_spec.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace surrogate::core {

constexpr int SCHEMA_VERSION = 1;

enum class Prediction { none, increment, frame };

/// Mean and standard deviation of a quantity over the frames of the training set.
struct Reference {
    double mean = 0, deviation = 1;
};

struct FieldSpec {
    std::string name, unit = "1", staggering = "cell";
    int components = 1;
    int first_input = 0;                 // channel of component 0 in the program's input
    int first_output = -1;               // and in its output; -1: not predicted
    std::vector<double> mean, deviation; // the program reads (u - mean) / deviation
    Prediction prediction = Prediction::none;
    std::vector<double> scale, offset; // of the program's output
    bool conserved = false;            // its integral over the domain is constant in time
    // What training has seen, one entry a component; empty: not recorded.
    std::vector<Bounds> trained_range;
    std::vector<Reference> trained_mean, trained_deviation; // of a frame's mean and standard deviation
    std::vector<double> trained_jump;                       // rms of the increments

    bool predicted() const { return prediction != Prediction::none; }
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
    std::string name, engine, format, device = "any", precision = "fp32";
    std::string file;  // "": none, a python program whose module is importable
    std::string entry; // "package.module:name" of a python program, else ""
};

/// A random input of the program, drawn for every step.
struct Noise {
    std::string name;
    int channels = 1;
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

/// A JSON object like the manifest's "guards", and what messages call it.
struct GuardOverrides {
    std::string label, document;
};

/// surrogate_open_options.guards: a JSON text, or the path of a file that holds one. Throws ERROR_NOT_FOUND for the
/// file.
GuardOverrides read_overrides(const char *given);

/// The manifest's guards after `overrides`: a key that is given replaces the manifest's, null removes it. Throws
/// ERROR_ARGUMENT.
GuardSpec merged_guards(const Manifest &manifest, const std::optional<GuardOverrides> &overrides);

} // namespace surrogate::core
