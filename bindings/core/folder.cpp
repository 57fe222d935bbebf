#include "folder.h"

#include <algorithm>
#include <cstdlib>
#include <dirent.h>
#include <memory>

namespace surrogate::core {

static constexpr std::size_t HASH_DIGITS = 32; // of the manifest's hash, in a folder's name

static std::string environment(const char *name) {
    const char *value = std::getenv(name);
    return value ? value : "";
}

std::vector<std::string> names_in(const std::string &folder) {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR *)> handle(::opendir(folder.c_str()), ::closedir);
    while (const dirent *entry = handle ? ::readdir(handle.get()) : nullptr)
        if (std::string name = entry->d_name; name != "." && name != "..")
            names.push_back(std::move(name));
    std::sort(names.begin(), names.end());
    return names;
}

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

std::string overlay_of(const std::string &folder, const std::string &manifest_hash) {
    return folder + "/" + manifest_hash.substr(0, HASH_DIGITS);
}

} // namespace surrogate::core
