// Reading regular files, and keeping names and links inside their folder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace surrogate::core {

using Bytes = std::vector<char>;

/// Text of an errno.
std::string error_text(int error);

/// Content of a regular file; throws ERROR_NOT_FOUND.
Bytes read_file(const std::string &path);

/// Read the file's `size` bytes into `data`; ERROR_NOT_FOUND if it has another size by now.
void read_file(const std::string &path, void *data, std::size_t size);

/// Size of a regular file in bytes; throws ERROR_NOT_FOUND.
std::int64_t file_size(const std::string &path);

/// Throw ERROR_CORRUPT unless `path`, after all links, is inside `folder`, which is called `what` in the message;
/// ERROR_NOT_FOUND if there is no such path.
void check_inside(const std::string &folder, const std::string &path, const char *what);

/// Whether `name` is a plain relative path that stays inside the folder it is in.
bool stays_inside(const std::string &name);

} // namespace surrogate::core
