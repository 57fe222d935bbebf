// Folders: what is in one, and where overlays are.
#pragma once

#include <string>
#include <vector>

namespace surrogate::core {

/// Names in a folder, sorted, without "." and ".."; none if it cannot be read. (std::filesystem ends the process where
/// memory runs out inside it.)
std::vector<std::string> names_in(const std::string &folder);

/// The overlay folder that is meant by option `given`: NULL: $SURROGATE_OVERLAY, else surrogate/overlay in
/// $XDG_CACHE_HOME or ~/.cache. "": none.
std::string overlay_folder(const char *given);

/// The part of the overlay `folder` that belongs to the bundle whose manifest has this SHA-256.
std::string overlay_of(const std::string &folder, const std::string &manifest_hash);

} // namespace surrogate::core
