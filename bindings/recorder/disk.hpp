// Files that appear under their name when they are complete, and never before. Plain POSIX, no HDF5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace recorder {

/// Write `size` bytes beside `path` and rename; throws Failure, and then nothing is left behind.
void publish(const std::string &path, const void *data, std::size_t size);

/// Make sure that the existing file `path` can grow to `bytes`: the space is reserved where the file system can do so.
/// HDF5 cannot let go of a file that it fails to flush, so a full disk must be found before it writes.
void reserve(const std::string &path, std::uint64_t bytes);

/// Give back what was reserved behind the end of the file.
void trim(const std::string &path);

std::uint64_t file_size(const std::string &path);
std::string absolute(const std::string &path); // the program may change its folder later
bool exists(const std::string &path);
void make_folder(const std::string &path);
void rename_file(const std::string &from, const std::string &to);

/// Remove a folder of frames: its files `<number>.h5` and `*.partial`, and itself if nothing else is in it.
void remove_frames(const std::string &folder) noexcept;

[[noreturn]] void fail_disk(const std::string &what, int error);

} // namespace recorder
