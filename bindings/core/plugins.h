// Where the shared libraries stand that libsurrogate opens itself: engines, and the recorder.
#pragma once

#include <string>
#include <vector>

namespace surrogate::core {

/// Folders to search, in order: `first` (':'-separated, may be NULL), SURROGATE_ENGINE_PATH, libsurrogate's own, its
/// subfolder `engines`.
std::vector<std::string> plugin_folders(const char *first);

/// Files STEM.so and STEM-*.so of a folder; with several, the greatest name (the newest version) first.
std::vector<std::string> plugin_files(const std::string &folder, const std::string &stem);

/// A symbol of the plugin at `path`, which is loaded and stays so; NULL, and why not.
void *plugin_symbol(const std::string &path, const char *symbol, std::string &why);

} // namespace surrogate::core
