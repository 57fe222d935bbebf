// An overlay with one program for a bundle of flow_bundle.h, good until a test breaks a part of it.
#ifndef FLOW_OVERLAY_H
#define FLOW_OVERLAY_H

#include "flow_bundle.h"

#include <sys/utsname.h>

/// The value of a line "key : value" of /proc/cpuinfo; "" if there is none.
inline std::string cpuinfo(const std::string &key) {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (const auto colon = line.find(':'); line.compare(0, key.size(), key) == 0 && colon != std::string::npos)
            return line.substr(std::min(line.find_first_not_of(" \t", colon + 1), line.size()));
    return "";
}

/// What an entry says of the machine that it was made on: this one, and its first instruction set.
inline json this_machine() {
    const std::string model = cpuinfo("model name"), flags = cpuinfo("flags") + cpuinfo("Features");
    utsname system{};
    ::uname(&system);
    return {{"cpu", model.empty() ? system.machine : model}, {"isa", {flags.substr(0, flags.find(' '))}}};
}

struct FlowOverlay {
    json program = FlowBundle().program; // what `package` holds
    json entry = json::parse(R"({"schema": 1, "path": "package", "files": {},
        "program": {"name": "fast", "engine": "stub", "format": "stub", "device": "cpu", "precision": "fp32",
                    "made_with": "stub 1"},
        "timings": [{"threads": 1, "batch": 1, "shape": [8, 12], "milliseconds": 0.25}]})");

    explicit FlowOverlay(const FlowBundle &bundle) {
        const std::string manifest = bundle.put_together().at("manifest.json");
        entry["bundle"] = surrogate::core::sha256(manifest.data(), manifest.size());
        entry["host"] = this_machine();
    }

    /// The entry's own folder, in the overlay `folder`.
    fs::path place(const fs::path &folder) const {
        return folder / entry["bundle"].get<std::string>().substr(0, 32) / "fast";
    }

    /// Write it to an overlay that does not exist yet; sizes and hashes are filled in where none are given.
    void write(const fs::path &folder) const {
        const fs::path at = place(folder);
        const std::string bytes = program.dump();
        json whole = entry;
        if (whole.value("files", json()) == json::object())
            whole["files"]["package"] = {{"bytes", bytes.size()},
                                         {"sha256", surrogate::core::sha256(bytes.data(), bytes.size())}};
        fs::create_directories(at);
        std::ofstream(at / "package", std::ios::binary) << bytes;
        std::ofstream(at / "program.json", std::ios::binary) << whole.dump();
    }
};

#endif
