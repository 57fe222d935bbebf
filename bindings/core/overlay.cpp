#include "overlay.h"

#include "bundle.h"
#include "host.h"
#include "sha256.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <tuple>

namespace surrogate::core {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t HASH_DIGITS = 32; // of the manifest's hash, in a folder's name
constexpr int SCHEMA = 1;

std::string environment(const char *name) {
    const char *value = std::getenv(name);
    return value ? value : "";
}

JsonNode read_json(JsonDocument &storage, const fs::path &path) {
    const Bytes bytes = read_file(path.string());
    return JsonNode::parse(storage, {bytes.data(), bytes.size()}, path.filename().string(), SURROGATE_ERROR_CORRUPT);
}

/// Names in a folder, sorted; none if it cannot be read.
std::vector<std::string> names_in(const fs::path &folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
        names.push_back(at->path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

std::string string_or_none(const JsonNode &node, const char *key) {
    const auto found = node.find(key);
    return found ? found->string() : "";
}

std::vector<Timing> read_timings(const JsonNode &node) {
    std::vector<Timing> timings;
    for (const auto &item : node.array()) {
        Timing timing;
        timing.threads = static_cast<int>(item.at("threads").integer(0));
        if (const auto batch = item.find("batch"))
            timing.batch = batch->integer(1);
        for (const auto &size : item.at("shape").array())
            timing.cells *= size.integer(1);
        timing.milliseconds = item.at("milliseconds").positive();
        timings.push_back(timing);
    }
    return timings;
}

ProgramSpec read_spec(const JsonNode &node) {
    ProgramSpec program;
    program.name = node.at("name").name();
    program.engine = node.at("engine").name();
    program.format = node.at("format").name();
    program.device = node.at("device").name();
    program.precision = node.at("precision").name();
    return program;
}

void read_files(OverlayEntry &entry, const JsonNode &node) {
    for (const auto &[name, value] : node.members()) {
        if (!stays_inside(name))
            node.complain(text("'", name, "' leaves the entry's folder"));
        entry.files.emplace(name, FileEntry{value.at("bytes").integer(0), value.at("sha256").string()});
    }
    if (entry.files.empty())
        node.refuse("at least one file");
}

/// Keys that are not known are left alone: an entry may say more than is needed to run it.
void read_entry(OverlayEntry &entry, const JsonNode &root) {
    if (const auto schema = root.at("schema").integer(1); schema != SCHEMA)
        root.at("schema").refuse(text(SCHEMA));
    entry.program = read_spec(root.at("program"));
    entry.made_with = root.at("program").at("made_with").string();
    entry.bundle = root.at("bundle").string();
    const std::string path = root.at("path").string();
    if (!stays_inside(path))
        root.at("path").refuse("a relative path inside the entry's folder");
    entry.program.file = entry.folder + "/" + path;
    read_files(entry, root.at("files"));
    const auto host = root.at("host");
    for (const auto &flag : host.at("isa").array())
        entry.isa.push_back(flag.string());
    entry.cpu = string_or_none(host, "cpu");
    entry.compute_capability = string_or_none(host, "compute_capability");
    if (const auto timings = root.find("timings"))
        entry.timings = read_timings(*timings);
    const auto gate = root.find("gate");
    if (const auto deviation = gate ? gate->find("deviation") : std::nullopt)
        entry.deviation = deviation->number();
}

/// Timings of the bundle's own programs on `device`, from a file that was written on a machine like this one.
void read_bundle_timings(Overlay &overlay, const fs::path &path, const std::string &device) {
    JsonDocument storage;
    const auto root = read_json(storage, path);
    const auto host = root.at("host");
    if (string_or_none(host, "cpu") != this_host().cpu ||
        string_or_none(host, "compute_capability") != (device == "cpu" ? "" : compute_capability(device)))
        return;
    for (const auto &[name, value] : root.at("timings").members())
        overlay.timings[name] = read_timings(value);
}

OverlayEntry entry_in(const fs::path &folder) {
    OverlayEntry entry;
    entry.folder = folder.string();
    entry.program.name = folder.filename().string();
    try {
        JsonDocument storage;
        read_entry(entry, read_json(storage, folder / "program.json"));
        if (entry.cpu != this_host().cpu)
            entry.timings.clear(); // measured on another machine
    } catch (const Error &error) {
        entry.damage = error.text();
    }
    return entry;
}

std::string difference(const OverlayEntry &entry, const std::string &name, const FileEntry &expected) {
    std::error_code error;
    const fs::path path = fs::path(entry.folder) / name;
    const auto size = fs::file_size(path, error);
    if (error)
        return text("the file ", name, " is missing");
    if (static_cast<std::int64_t>(size) != expected.bytes)
        return text("the file ", name, " has ", size, " bytes, expected ", expected.bytes);
    const Bytes bytes = read_file(path.string());
    return sha256(bytes.data(), bytes.size()) == expected.sha256 ? "" : text("the file ", name, " has another SHA-256");
}

} // namespace

std::string overlay_folder(const char *given) {
    if (given)
        return given;
    if (std::getenv("SURROGATE_OVERLAY"))
        return environment("SURROGATE_OVERLAY");
    const std::string cache = environment("XDG_CACHE_HOME"), home = environment("HOME");
    if (cache.empty() && home.empty())
        return "";
    return (cache.empty() ? home + "/.cache" : cache) + "/surrogate/overlay";
}

Overlay read_overlay(const std::string &folder, const std::string &manifest_hash, const std::string &device) {
    Overlay overlay;
    if (folder.empty())
        return overlay;
    const fs::path root = fs::path(folder) / manifest_hash.substr(0, HASH_DIGITS);
    std::error_code error;
    for (const auto &name : names_in(root)) {
        const fs::path path = root / name;
        if (name[0] == '.') // being written
            continue;
        if (fs::is_regular_file(path / "program.json", error))
            overlay.entries.push_back(entry_in(path));
        else if (name.compare(0, 8, "timings-") == 0 && path.extension() == ".json")
            try {
                read_bundle_timings(overlay, path, device);
            } catch (const Error &) { // without timings the manifest's order holds
            }
    }
    return overlay;
}

std::string foreign(const OverlayEntry &entry, const std::string &manifest_hash, const std::string &device) {
    if (!entry.damage.empty())
        return text("damaged: ", entry.damage);
    if (entry.bundle != manifest_hash)
        return "lowered from another bundle";
    const Host &host = this_host();
    if (const std::string flag = host.lacks(entry.isa); !flag.empty())
        return text("compiled for instruction set ", flag, ", which this CPU lacks");
    if (entry.isa.empty() && entry.cpu != host.cpu) // nothing is known of its code but where it was made
        return text("compiled on another CPU (", entry.cpu, ") for unnamed instruction sets");
    if (entry.compute_capability.empty())
        return "";
    const std::string found = compute_capability(device);
    return found == entry.compute_capability ? ""
                                             : text("compiled for compute capability ", entry.compute_capability,
                                                    ", this GPU has ", found.empty() ? "none" : found);
}

std::string damaged(const OverlayEntry &entry) {
    for (const auto &[name, expected] : entry.files)
        if (std::string why = difference(entry, name, expected); !why.empty())
            return text("damaged: ", why);
    std::error_code error; // a file more could be code that an engine loads
    for (fs::recursive_directory_iterator at(entry.program.file, error), end; !error && at != end; at.increment(error))
        if (!at->is_directory(error)) {
            const std::string name = at->path().lexically_relative(entry.folder).generic_string();
            if (!entry.files.count(name) || at->is_symlink(error))
                return text("damaged: the file ", name, " does not belong to it");
        }
    return "";
}

const Timing *best_timing(const std::vector<Timing> &timings, int threads) {
    const auto rank = [threads](const Timing &timing) {
        return std::make_tuple(std::abs(timing.threads - threads), timing.batch, -timing.cells);
    };
    const auto best = std::min_element(timings.begin(), timings.end(),
                                       [&](const Timing &a, const Timing &b) { return rank(a) < rank(b); });
    return best == timings.end() ? nullptr : &*best;
}

} // namespace surrogate::core
