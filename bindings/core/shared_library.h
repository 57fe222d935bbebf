// A look at a shared library before the loader maps it: a truncated one would end the host by SIGBUS.
#pragma once

#include <string>

namespace surrogate::core {

/// Why the file at `path` cannot be mapped as a shared library; "" if nothing is wrong with its size and headers
/// (whether it works is for dlopen to say).
std::string library_damage(const std::string &path);

} // namespace surrogate::core
