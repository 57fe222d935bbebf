// Several files in one fuzz input: each begins with a line "@@ NAME". A first line "+" means that the sizes and hashes
// in manifest.json are to be made right, so that mutations reach what is behind them.
#pragma once

#include <surrogate/surrogate.h>

#include <string>
#include <utility>
#include <vector>

using Archive = std::vector<std::pair<std::string, std::string>>; // name and bytes

Archive unpack(const std::string &input);

/// The files as surrogate_open_memory takes them; `archive` keeps the bytes.
std::vector<surrogate_file> files_of(const Archive &archive);
