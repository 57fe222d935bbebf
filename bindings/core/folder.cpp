#include "folder.h"

#include <algorithm>
#include <dirent.h>
#include <memory>

namespace surrogate::core {

std::vector<std::string> names_in(const std::string &folder) {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR *)> handle(::opendir(folder.c_str()), ::closedir);
    while (const dirent *entry = handle ? ::readdir(handle.get()) : nullptr)
        if (std::string name = entry->d_name; name != "." && name != "..")
            names.push_back(std::move(name));
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace surrogate::core
