#include "overlay.h"

#include "bundle.h"
#include "folder.h"
#include "host.h"
#include "sha256.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <tuple>

namespace surrogate::core {

namespace {

namespace fs = std::filesystem;

constexpr int SCHEMA = 1;
constexpr std::int64_t LARGEST_JSON = std::int64_t{16} << 20; // bytes; real ones have thousands
constexpr std::int64_t LARGEST_THREADS = 1 << 20;
constexpr std::int64_t LARGEST_RUN = std::int64_t{1} << 30; // states, and cells of one, of a run that was timed
constexpr const char *PART = "overlay's entry";             // what a link must not leave

JsonNode read_json(JsonDocument &storage, const fs::path &path) {
    std::error_code error;
    const auto size = fs::file_size(path, error);
    if (!error && size > static_cast<std::uintmax_t>(LARGEST_JSON))
        fail(SURROGATE_ERROR_CORRUPT, path.filename().string(), " has ", size, " bytes, expected at most ",
             LARGEST_JSON);
    const Bytes bytes = read_file(path.string());
    return JsonNode::parse(storage, {bytes.data(), bytes.size()}, path.filename().string(), SURROGATE_ERROR_CORRUPT);
}

std::string string_or_none(const JsonNode &node, const char *key) {
    const auto found = node.find(key);
    return found ? found->string() : "";
}

std::int64_t at_most(const JsonNode &node, std::int64_t least, std::int64_t most) {
    const auto value = node.integer(least);
    if (value > most)
        node.refuse(text("at most ", most));
    return value;
}

std::vector<Timing> read_timings(const JsonNode &node) {
    std::vector<Timing> timings;
    for (const auto &item : node.array()) {
        Timing timing;
        timing.threads = static_cast<int>(at_most(item.at("threads"), 0, LARGEST_THREADS));
        if (const auto batch = item.find("batch"))
            timing.batch = at_most(*batch, 1, LARGEST_RUN);
        for (const auto &size : item.at("shape").array()) // never more than their product, which fits
            timing.cells = at_most(size, 1, LARGEST_RUN / timing.cells) * timing.cells;
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
    if (const auto steps = node.find("steps"))
        program.steps = steps->integer(1);
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
        check_inside(entry.folder, (folder / "program.json").string(), PART);
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
    check_inside(entry.folder, path.string(), PART);
    const Bytes bytes = read_file(path.string());
    return sha256(bytes.data(), bytes.size()) == expected.sha256 ? "" : text("the file ", name, " has another SHA-256");
}

/// The first file in folder `path` of the entry that it does not name, as a path in the entry; "" if there is none. It
/// could be code that an engine loads; so could a link.
std::string stranger(const OverlayEntry &entry, const std::string &path) {
    for (const auto &name : names_in(entry.folder + "/" + path)) {
        const std::string inner = path + "/" + name;
        std::error_code error;
        const auto type = fs::symlink_status(entry.folder + "/" + inner, error).type();
        const bool known = type == fs::file_type::regular && entry.files.count(inner);
        std::string found = type == fs::file_type::directory ? stranger(entry, inner) : known ? "" : inner;
        if (!found.empty())
            return found;
    }
    return "";
}

} // namespace

Overlay read_overlay(const std::string &folder, const std::string &manifest_hash, const std::string &device) {
    Overlay overlay;
    if (folder.empty())
        return overlay;
    const fs::path root = overlay_of(folder, manifest_hash);
    std::error_code error;
    for (const auto &name : names_in(root.string())) {
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
    const std::string name = stranger(entry, entry.program.file.substr(entry.folder.size() + 1));
    return name.empty() ? "" : text("damaged: the file ", name, " does not belong to it");
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
