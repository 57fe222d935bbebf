// Listing folders.
#pragma once

#include <string>
#include <vector>

namespace surrogate::core {

/// Names in a folder, sorted, without "." and ".."; none if it cannot be read. (std::filesystem ends the process where
/// memory runs out inside it.)
std::vector<std::string> names_in(const std::string &folder);

} // namespace surrogate::core
