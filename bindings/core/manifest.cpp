#include "manifest.h"

#include "json_node.h"
#include "manifest_guards.h"
#include "manifest_sampler.h"

#include <cmath>

namespace surrogate::core {

namespace {

// Nothing real is larger, and products of them stay far from overflow.
constexpr std::int64_t LARGEST_COMPONENTS = 100000, LARGEST_HISTORY = 1000;
constexpr std::int64_t LARGEST_SIZE = std::int64_t{1} << 40; // cells along an axis

using Numbers = std::vector<double>;

Numbers numbers(const JsonNode &node, std::size_t size, const char *what, bool positive) {
    Numbers values;
    for (const auto &item : node.array(size, what))
        values.push_back(positive ? item.positive() : item.number());
    return values;
}

void read_schema(const JsonNode &root, const std::string &label) {
    const auto format = root.find("format");
    if (!format)
        return;
    if (const auto version = format->find("version")) {
        const auto given = version->integer(1);
        if (given > SCHEMA_VERSION)
            throw Error(SURROGATE_ERROR_SCHEMA,
                        text(label, ": written in schema ", given, ", this library (", SURROGATE_VERSION,
                             ") reads up to schema ", SCHEMA_VERSION,
                             "; install a newer surrogate, or export the bundle again with this one"));
    }
    format->only_keys({"name", "version"});
    if (const auto name = format->find("name"))
        name->one_of({"surrogate-bundle"});
}

std::vector<Reference> references(const JsonNode &node, std::size_t size) {
    std::vector<Reference> values;
    for (const auto &item : node.array(size, "component")) {
        const auto pair = item.array(2, "of mean and standard deviation");
        values.push_back({pair[0].number(), pair[1].positive()});
    }
    return values;
}

std::vector<Bounds> ranges(const JsonNode &node, std::size_t size) {
    std::vector<Bounds> values;
    for (const auto &item : node.array(size, "component")) {
        const auto ends = numbers(item, 2, "end of the range", false);
        if (ends[0] > ends[1])
            item.complain(text("lower end ", ends[0], " is above upper end ", ends[1]));
        values.push_back({ends[0], ends[1]});
    }
    return values;
}

/// What training has seen of a field.
void read_trained(FieldSpec &field, const JsonNode &node, std::size_t size) {
    if (const auto range = node.find("trained_range"); range && !range->array().empty())
        field.trained_range = ranges(*range, size);
    if (const auto statistics = node.find("trained_statistics")) {
        statistics->only_keys({"mean", "std"});
        field.trained_mean = references(statistics->at("mean"), size);
        field.trained_deviation = references(statistics->at("std"), size);
    }
    if (const auto jump = node.find("trained_jump"); jump && !jump->array().empty())
        field.trained_jump = numbers(*jump, size, "component", true);
}

/// What the program does to a field's values inside: for people, so nothing is kept of it.
void check_scaling(const JsonNode &node) {
    node.only_keys({"kind", "softening"});
    if (const auto kind = node.find("kind"))
        kind->one_of({"linear", "asinh"});
    if (const auto softening = node.find("softening"))
        softening->positive();
}

FieldSpec read_field(const JsonNode &node) {
    node.only_keys({"name", "unit", "components", "staggering", "description", "normalisation", "scaling", "prediction",
                    "conserved", "trained_range", "trained_statistics", "trained_jump"});
    FieldSpec field;
    field.name = node.at("name").name();
    if (const auto unit = node.find("unit"))
        field.unit = unit->string();
    if (const auto components = node.find("components")) {
        const auto count = components->integer(1);
        if (count > LARGEST_COMPONENTS)
            components->refuse(text("at most ", LARGEST_COMPONENTS));
        field.components = static_cast<int>(count);
    }
    if (const auto staggering = node.find("staggering"))
        field.staggering = staggering->one_of({"cell", "corner", "face_x", "face_y", "face_z"});
    const auto size = static_cast<std::size_t>(field.components);
    const auto normalisation = node.at("normalisation");
    normalisation.only_keys({"mean", "std"});
    field.mean = numbers(normalisation.at("mean"), size, "component", false);
    field.deviation = numbers(normalisation.at("std"), size, "component", true);
    if (const auto scaling = node.find("scaling"))
        check_scaling(*scaling);
    if (const auto prediction = node.find("prediction")) {
        prediction->only_keys({"kind", "scale", "offset"});
        const auto kind = prediction->find("kind");
        const bool frame = kind && kind->one_of({"increment", "frame"}) == "frame";
        field.prediction = frame ? Prediction::frame : Prediction::increment;
        field.scale = numbers(prediction->at("scale"), size, "component", true);
        field.offset = numbers(prediction->at("offset"), size, "component", false);
    }
    if (const auto conserved = node.find("conserved"))
        field.conserved = conserved->boolean();
    read_trained(field, node, size);
    return field;
}

void read_fields(Manifest &manifest, const JsonNode &node) {
    for (const auto &item : node.array()) {
        FieldSpec field = read_field(item);
        for (const auto &other : manifest.fields)
            if (other.name == field.name)
                item.at("name").complain(text("the name '", field.name, "' stands twice"));
        field.first_input = manifest.input_channels;
        manifest.input_channels += field.components;
        if (field.predicted()) {
            field.first_output = manifest.output_channels;
            manifest.output_channels += field.components;
        }
        manifest.fields.push_back(std::move(field));
        if (manifest.input_channels > LARGEST_COMPONENTS)
            node.complain(text("more than ", LARGEST_COMPONENTS, " channels"));
    }
    if (manifest.fields.empty())
        node.refuse("at least one field");
    if (manifest.output_channels == 0)
        node.complain("no field is predicted; expected one with 'prediction' at least");
}

void integers(std::int64_t (&values)[3], const JsonNode &node, std::size_t rank, std::int64_t least) {
    std::size_t k = 0;
    for (const auto &item : node.array(rank, "axis")) {
        if (item.integer(least) > LARGEST_SIZE)
            item.refuse(text("at most ", LARGEST_SIZE));
        values[k++] = item.integer(least);
    }
}

Grid read_grid(const JsonNode &node) {
    node.only_keys({"axes", "fixed_shape", "multiple_of", "minimum_shape", "boundary", "spacing", "spacing_unit"});
    Grid grid;
    for (const auto &item : node.at("axes").array())
        grid.axes.push_back(item.one_of({"z", "y", "x"}));
    const std::size_t rank = grid.axes.size();
    if (rank < 1 || rank > 3)
        node.at("axes").refuse("one to three axes");
    grid.rank = static_cast<int>(rank);
    if (const auto fixed = node.find("fixed_shape")) {
        grid.fixed = true;
        integers(grid.fixed_shape, *fixed, rank, 1);
    }
    integers(grid.multiple_of, node.at("multiple_of"), rank, 1);
    integers(grid.minimum_shape, node.at("minimum_shape"), rank, 1);
    std::size_t k = 0;
    for (const auto &item : node.at("boundary").array(rank, "axis")) {
        const auto name = item.one_of({"periodic", "wall", "open"});
        grid.boundary[k++] = name == "periodic" ? SURROGATE_BOUNDARY_PERIODIC
                             : name == "wall"   ? SURROGATE_BOUNDARY_WALL
                                                : SURROGATE_BOUNDARY_OPEN;
    }
    if (const auto spacing = node.find("spacing")) {
        k = 0;
        for (const double value : numbers(*spacing, rank, "axis", true))
            grid.spacing[k++] = value;
    }
    if (const auto unit = node.find("spacing_unit"))
        grid.spacing_unit = unit->string();
    return grid;
}

Parameter read_parameter(const JsonNode &node) {
    node.only_keys({"name", "unit", "range", "preset"});
    Parameter parameter;
    parameter.name = node.at("name").string();
    if (const auto unit = node.find("unit"))
        parameter.unit = unit->string();
    const auto range = numbers(node.at("range"), 2, "end of the range", false);
    parameter.lower = range[0];
    parameter.upper = range[1];
    parameter.preset = node.at("preset").number();
    if (!(parameter.lower <= parameter.preset && parameter.preset <= parameter.upper))
        node.at("preset").refuse(text("a number in the range ", parameter.lower, " to ", parameter.upper));
    return parameter;
}

void read_noise(Manifest &manifest, const JsonNode &node) {
    for (const auto &item : node.array()) {
        item.only_keys({"name", "channels"});
        Noise noise;
        noise.name = item.at("name").name();
        for (const auto &other : manifest.noise)
            if (other.name == noise.name)
                item.at("name").complain(text("the name '", noise.name, "' stands twice"));
        const auto channels = item.at("channels").integer(1);
        if (channels > LARGEST_COMPONENTS)
            item.at("channels").refuse(text("at most ", LARGEST_COMPONENTS));
        noise.channels = static_cast<int>(channels);
        manifest.noise.push_back(std::move(noise));
    }
}

/// "package.module:name", each part one or more identifiers with dots between.
bool is_entry(const std::string &text) {
    bool begins = true, colon = false;
    for (const char c : text) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        const bool separator = c == '.' || (c == ':' && !colon);
        if (!letter && (begins || (!separator && !(c >= '0' && c <= '9'))))
            return false;
        colon = colon || c == ':';
        begins = separator;
    }
    return colon && !begins;
}

/// Where the program's code is: a file of the bundle; a python program has an entry, and a file where it is not
/// importable.
void read_code(ProgramSpec &program, const JsonNode &node) {
    const auto file = node.find("file"), entry = node.find("entry");
    if (file)
        program.file = file->string();
    if (entry)
        program.entry = entry->string();
    const bool python = program.format == "python";
    if (python ? !is_entry(program.entry) : !program.entry.empty())
        (entry ? *entry : node.at("entry"))
            .refuse(python ? "\"package.module:name\"" : "none: only programs of format python have an entry");
    if (program.file.empty() && !python)
        node.at("file").refuse("the path of a file in the bundle");
}

ProgramSpec read_program(const JsonNode &node) {
    node.only_keys(
        {"name", "engine", "format", "file", "entry", "steps", "method", "device", "precision", "made_with"});
    ProgramSpec program;
    program.name = node.at("name").string();
    program.engine = node.at("engine").name();
    program.format = node.at("format").name();
    read_code(program, node);
    read_variant(program, node);
    if (const auto device = node.find("device"))
        program.device = device->name();
    if (const auto precision = node.find("precision"))
        program.precision = precision->name();
    return program;
}

void read_files(Manifest &manifest, const JsonNode &root) {
    const auto node = root.at("files");
    for (const auto &[name, value] : node.members()) {
        value.only_keys({"bytes", "sha256"});
        FileEntry entry{value.at("bytes").integer(0), value.at("sha256").string()};
        if (entry.sha256.size() != 64 || entry.sha256.find_first_not_of("0123456789abcdef") != std::string::npos)
            value.at("sha256").refuse("64 lower-case hexadecimal digits");
        manifest.files.emplace(name, std::move(entry));
    }
    const auto need = [&](const std::string &file) {
        if (!manifest.files.count(file))
            node.complain(text("'", file, "' is used but has no entry (its size and hash are needed)"));
    };
    for (const auto &program : manifest.programs)
        if (!program.file.empty())
            need(program.file);
    if (!manifest.example.empty())
        need(manifest.example);
}

} // namespace

std::vector<std::string> Manifest::field_names() const {
    std::vector<std::string> names;
    for (const auto &field : fields)
        names.push_back(field.name);
    return names;
}

Manifest parse_manifest(std::string_view document, const std::string &label) {
    JsonDocument storage;
    const auto root = JsonNode::parse(storage, document, label, SURROGATE_ERROR_CORRUPT);
    read_schema(root, label); // before any other key: a newer schema may have others
    root.only_keys({"format", "name", "description", "created", "fields", "grid", "time", "history", "parameters",
                    "noise", "sampler", "text", "locality", "programs", "guards", "example", "metrics", "provenance",
                    "files"});
    Manifest manifest;
    manifest.name = root.at("name").string();
    read_fields(manifest, root.at("fields"));
    manifest.grid = read_grid(root.at("grid"));
    const auto time = root.at("time");
    time.only_keys({"step", "unit"});
    manifest.time_step = time.at("step").positive();
    if (const auto unit = time.find("unit"))
        manifest.time_unit = unit->string();
    if (const auto history = root.find("history")) {
        const auto frames = history->integer(1);
        if (frames > LARGEST_HISTORY)
            history->refuse(text("at most ", LARGEST_HISTORY));
        manifest.history = static_cast<int>(frames);
    }
    if (const auto parameters = root.find("parameters"))
        for (const auto &item : parameters->array())
            manifest.parameters.push_back(read_parameter(item));
    if (const auto noise = root.find("noise"))
        read_noise(manifest, *noise);
    const auto rank = static_cast<std::size_t>(manifest.grid.rank);
    const auto locality = root.at("locality");
    locality.only_keys({"receptive_field", "stride", "reduces_over_space"});
    integers(manifest.locality.receptive_field, locality.at("receptive_field"), rank, 0);
    integers(manifest.locality.stride, locality.at("stride"), rank, 1);
    if (const auto reduces = locality.find("reduces_over_space"))
        manifest.locality.reduces_over_space = reduces->boolean();
    for (const auto &item : root.at("programs").array())
        manifest.programs.push_back(read_program(item));
    if (manifest.programs.empty())
        root.at("programs").refuse("at least one program");
    read_sampler(manifest, root);
    manifest.guards.bounds.resize(manifest.fields.size());
    if (const auto guards = root.find("guards"))
        read_guards(manifest.guards, manifest, *guards);
    if (const auto example = root.find("example")) {
        example->only_keys({"file", "tolerance"});
        const auto file = example->find("file");
        manifest.example = file ? file->string() : "example.safetensors";
        manifest.tolerance = example->at("tolerance").positive();
    }
    read_files(manifest, root);
    return manifest;
}

} // namespace surrogate::core
