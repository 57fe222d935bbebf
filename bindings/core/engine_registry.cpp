#include "engine_registry.h"

#include "error.h"
#include "plugins.h"

#include <algorithm>
#include <map>
#include <mutex>

namespace surrogate::core {

namespace {

/// The engine in a shared library, or nullptr and why not.
const surrogate_engine *load(const std::string &path, const std::string &name, std::string &why) {
    void *symbol = plugin_symbol(path, "surrogate_engine_entry", why);
    if (!symbol)
        return nullptr;
    const auto entry = reinterpret_cast<surrogate_engine_entry_function>(symbol);
    const surrogate_engine *engine = nullptr;
    EngineText message;
    if (entry(&engine, SURROGATE_ENGINE_ABI, message.error()) != 0)
        why = message.text();
    else if (!engine || engine->abi != SURROGATE_ENGINE_ABI)
        why = text("it has engine interface ", engine ? engine->abi : 0, ", this library needs ", SURROGATE_ENGINE_ABI,
                   "; build it again");
    else if (!engine->name || name != engine->name)
        why = text("it calls itself '", engine->name ? engine->name : "", "'");
    else if (!engine->load || !engine->run || !engine->destroy)
        why = "it lacks a function of the engine interface";
    else
        return engine;
    return nullptr;
}

std::string advice(const std::string &name) {
    if (name == "torch")
        return "build it against the torch of this machine with `surrogate engine build torch --out FOLDER` (without "
               "--out: beside the Python package's library), and name that folder in SURROGATE_ENGINE_PATH";
    if (name == "python")
        return "it comes with the Python package, and with a build by CMake where the headers of Python >= 3.11 are "
               "(apt-get install python3-dev); name the folder of libsurrogate_engine_python.so in "
               "SURROGATE_ENGINE_PATH";
    return text("name the folder of libsurrogate_engine_", name, "*.so in SURROGATE_ENGINE_PATH");
}

} // namespace

const surrogate_engine &find_engine(const std::string &name, const char *engine_path) {
    static std::mutex mutex;
    static std::map<std::string, const surrogate_engine *> opened; // by path
    const std::lock_guard<std::mutex> lock(mutex);

    std::string report;
    std::vector<std::string> seen;
    for (const auto &folder : plugin_folders(engine_path)) {
        if (std::find(seen.begin(), seen.end(), folder) != seen.end())
            continue;
        seen.push_back(folder);
        const auto paths = plugin_files(folder, "libsurrogate_engine_" + name);
        if (paths.empty())
            report += text("\n  ", folder, ": none");
        for (const auto &path : paths) {
            if (const auto known = opened.find(path); known != opened.end())
                return *known->second;
            std::string why;
            if (const auto *engine = load(path, name, why)) {
                opened.emplace(path, engine);
                return *engine;
            }
            report += text("\n  ", path, ": ", why);
        }
    }
    fail(SURROGATE_ERROR_ENGINE, "no engine '", name, "' works here; ", advice(name), ". Searched:", report);
}

} // namespace surrogate::core
