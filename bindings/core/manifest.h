// What a bundle says of itself: the C++ side of surrogate/bundle/manifest.py.
#pragma once

#include "guard_spec.h"

#include <algorithm>
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
    std::string file;       // "": none, a python program whose module is importable
    std::string entry;      // "package.module:name" of a python program, else ""
    std::string method;     // of a file that holds several programs; "": the only one
    std::int64_t steps = 0; // evaluations of the sampler's net; 0: the model has no sampler
};

/// How programs draw a frame, by so many evaluations of the net.
struct Sampler {
    std::string method, kind;        // for people
    std::vector<std::int64_t> steps; // evaluations that there are programs for, increasing; empty: no sampler
    std::int64_t preset = 0;         // that of a call which names none
    std::int64_t members = 0;        // largest ensemble
    bool guided = false;             // the last parameter weighs the condition
    double guidance = 0;             // its largest value

    explicit operator bool() const { return !steps.empty(); }
};

/// ASCII capitals made small; all else as it is.
inline char small_letter(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Order of words that does not tell capitals from small letters, so that a caption is looked up where it lies.
struct AsciiOrder {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const {
        return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                            [](char c, char d) { return small_letter(c) < small_letter(d); });
    }
};

/// The captions that a model takes.
struct TextSpec {
    std::int64_t length = 0;                             // words at most; 0: the model takes none
    std::map<std::string, std::int32_t, AsciiOrder> ids; // by word, those that a caption can hold
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
    Sampler sampler;
    TextSpec text;
    Locality locality;
    std::vector<ProgramSpec> programs;
    GuardSpec guards;
    std::string example; // file; "" if there is none
    double tolerance = 0;
    std::map<std::string, FileEntry> files;
    int input_channels = 0, output_channels = 0;

    std::vector<std::string> field_names() const;
    /// Columns of the program's input of parameters: scalars, then the words of a caption.
    std::int64_t parameter_columns() const { return static_cast<std::int64_t>(parameters.size()) + text.length; }
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
