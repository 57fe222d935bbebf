// What may happen to a file of a bundle or of an overlay on disk; each is a function of the folder.
#pragma once

#include "flow_bundle.h"

#include <sys/stat.h>

/// Make a file (of zeros beyond its end) this large.
inline auto resized(const char *name, std::uintmax_t bytes) {
    return [=](const fs::path &folder) { fs::resize_file(folder / name, bytes); };
}
inline auto removed(const char *name) {
    return [=](const fs::path &folder) { fs::remove_all(folder / name); };
}
inline auto folder_at(const char *name) {
    return [=](const fs::path &folder) {
        fs::remove(folder / name);
        fs::create_directory(folder / name);
    };
}
inline auto fifo_at(const char *name) {
    return [=](const fs::path &folder) {
        fs::remove(folder / name);
        if (::mkfifo((folder / name).c_str(), 0600) != 0)
            ++failures;
    };
}
inline auto linked(const char *name, const char *target) {
    return [=](const fs::path &folder) {
        fs::remove(folder / name);
        fs::create_symlink(target, folder / name);
    };
}
