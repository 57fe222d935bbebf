#include "engine_registry.h"

#include "error.h"
#include "shared_library.h"

#include <algorithm>
#include <cstdlib>
#include <dirent.h>
#include <dlfcn.h>
#include <map>
#include <memory>
#include <mutex>

namespace surrogate::core {

namespace {

std::vector<std::string> split(const char *folders) {
    std::vector<std::string> parts;
    std::string part;
    for (const char *c = folders ? folders : ""; *c; ++c) {
        if (*c != ':') {
            part += *c;
        } else if (!part.empty()) {
            parts.push_back(std::move(part));
            part.clear();
        }
    }
    if (!part.empty())
        parts.push_back(part);
    return parts;
}

std::string own_folder() {
    Dl_info info{};
    if (!::dladdr(reinterpret_cast<const void *>(&find_engine), &info) || !info.dli_fname)
        return "";
    const std::string path = info.dli_fname;
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::vector<std::string> search_folders(const char *engine_path) {
    auto folders = split(engine_path);
    for (auto &folder : split(std::getenv("SURROGATE_ENGINE_PATH")))
        folders.push_back(folder);
    if (const auto own = own_folder(); !own.empty()) {
        folders.push_back(own);
        folders.push_back(own + "/engines");
    }
    return folders;
}

bool is_candidate(const std::string &file, const std::string &stem) {
    const std::string suffix = ".so";
    return file.size() >= stem.size() + suffix.size() && file.compare(0, stem.size(), stem) == 0 &&
           (file[stem.size()] == '.' || file[stem.size()] == '-') &&
           file.compare(file.size() - suffix.size(), suffix.size(), suffix) == 0;
}

/// Plugins of engine `name` in a folder; with several, the greatest name (the newest version) first.
std::vector<std::string> candidates(const std::string &folder, const std::string &name) {
    std::vector<std::string> paths;
    const std::unique_ptr<DIR, int (*)(DIR *)> handle(::opendir(folder.c_str()), ::closedir);
    while (const dirent *entry = handle ? ::readdir(handle.get()) : nullptr)
        if (is_candidate(entry->d_name, "libsurrogate_engine_" + name))
            paths.push_back(folder + "/" + entry->d_name);
    std::sort(paths.rbegin(), paths.rend());
    return paths;
}

/// The engine in a shared library, or nullptr and why not.
const surrogate_engine *load(const std::string &path, const std::string &name, std::string &why) {
    why = library_damage(path);
    if (!why.empty())
        return nullptr;
    void *library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *message = ::dlerror();
        why = message ? message : "dlopen failed";
        return nullptr;
    }
    void *symbol = ::dlsym(library, "surrogate_engine_entry");
    if (!symbol) {
        why = "it exports no surrogate_engine_entry";
        return nullptr;
    }
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
        return "build it against the torch of this machine with `surrogate engine build torch`, or name the folder of "
               "libsurrogate_engine_torch*.so in SURROGATE_ENGINE_PATH";
    return text("name the folder of libsurrogate_engine_", name, "*.so in SURROGATE_ENGINE_PATH");
}

} // namespace

const surrogate_engine &find_engine(const std::string &name, const char *engine_path) {
    static std::mutex mutex;
    static std::map<std::string, const surrogate_engine *> opened; // by path
    const std::lock_guard<std::mutex> lock(mutex);

    std::string report;
    std::vector<std::string> seen;
    for (const auto &folder : search_folders(engine_path)) {
        if (std::find(seen.begin(), seen.end(), folder) != seen.end())
            continue;
        seen.push_back(folder);
        const auto paths = candidates(folder, name);
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
