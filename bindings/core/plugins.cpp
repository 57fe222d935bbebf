#include "plugins.h"

#include "error.h"
#include "folder.h"
#include "shared_library.h"

#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>

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
    if (!::dladdr(reinterpret_cast<const void *>(&plugin_folders), &info) || !info.dli_fname)
        return "";
    const std::string path = info.dli_fname;
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

bool is_candidate(const std::string &file, const std::string &stem) {
    const std::string suffix = ".so";
    return file.size() >= stem.size() + suffix.size() && file.compare(0, stem.size(), stem) == 0 &&
           (file[stem.size()] == '.' || file[stem.size()] == '-') &&
           file.compare(file.size() - suffix.size(), suffix.size(), suffix) == 0;
}

} // namespace

std::vector<std::string> plugin_folders(const char *first) {
    auto folders = split(first);
    for (auto &folder : split(std::getenv("SURROGATE_ENGINE_PATH")))
        folders.push_back(folder);
    if (const auto own = own_folder(); !own.empty()) {
        folders.push_back(own);
        folders.push_back(own + "/engines");
    }
    return folders;
}

std::vector<std::string> plugin_files(const std::string &folder, const std::string &stem) {
    std::vector<std::string> paths;
    for (const auto &name : names_in(folder))
        if (is_candidate(name, stem))
            paths.push_back(folder + "/" + name);
    std::reverse(paths.begin(), paths.end());
    return paths;
}

void *plugin_symbol(const std::string &path, const char *symbol, std::string &why) {
    why = library_damage(path);
    if (!why.empty())
        return nullptr;
    void *library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *message = ::dlerror();
        why = message ? message : "dlopen failed";
        return nullptr;
    }
    void *found = ::dlsym(library, symbol);
    if (!found)
        why = text("it exports no ", symbol);
    return found;
}

} // namespace surrogate::core
