// An overlay's program.json, or (after a first line "timings") its timings of the bundle's own programs, as bytes:
// read, or a reason; never a failure. Its package is a file of one byte.
#include "error.h"
#include "overlay.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace surrogate::core;

static const std::string HASH(64, 'a');

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    static const std::filesystem::path root = "overlay", entry = root / HASH.substr(0, 32) / "fast";
    std::filesystem::create_directories(entry);
    std::ofstream(entry / "package") << '{';
    std::string text(reinterpret_cast<const char *>(data), size);
    const bool timings = text.compare(0, 8, "timings\n") == 0;
    std::ofstream(entry / "program.json", std::ios::binary) << (timings ? "{}" : text);
    std::ofstream(entry.parent_path() / "timings-0.json", std::ios::binary) << (timings ? text.substr(8) : "{}");
    try {
        const Overlay overlay = read_overlay(root.string(), HASH, "cpu");
        if (overlay.entries.size() != 1)
            std::abort();
        for (const auto &found : overlay.entries)
            if (foreign(found, HASH, "cpu").empty() && damaged(found).empty() && found.program.engine.empty())
                std::abort();
            else if (const Timing *best = best_timing(found.timings, 4); best && !(best->per_cell() > 0))
                std::abort();
        for (const auto &[name, known] : overlay.timings)
            if (!known.empty() && !(best_timing(known, 1)->per_cell() > 0))
                std::abort();
    } catch (const Error &error) { // from a package that is a link, a folder, ...
        if (error.status() != SURROGATE_ERROR_CORRUPT && error.status() != SURROGATE_ERROR_NOT_FOUND)
            std::abort();
    } catch (const std::bad_alloc &) {
    }
    return 0;
}
