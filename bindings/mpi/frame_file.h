// A frame's file as one who fills it sees it: rows of blocks at their places. Plain POSIX, no HDF5.
#pragma once

#include "box.h"

#include <cstddef>
#include <string>
#include <vector>

namespace surrogate::mpi {

/// A field in the file: dense over the domain, axes (z, y, x, components).
struct FieldPlace {
    std::uint64_t offset; // of its first byte
    Index domain;         // cells
    std::size_t cell;     // bytes of a cell
};

/// Failures wait for close, so that who writes what others send can take all of it.
class FrameFile {
  public:
    /// Fields begin at offsets[i]. Nothing is opened yet.
    FrameFile(std::string path, std::vector<std::uint64_t> offsets);
    ~FrameFile();
    FrameFile(FrameFile &&other) noexcept;
    FrameFile(const FrameFile &) = delete;
    FrameFile &operator=(const FrameFile &) = delete;

    std::uint64_t offset(std::size_t field) const { return offsets_[field]; }
    /// The file must be there: a frame that was dropped is not made again.
    void open() noexcept;
    /// Bytes first .. first + bytes of `block`, which is dense in the same order.
    void write(const FieldPlace &place, const Box &block, std::size_t first, const char *data,
               std::size_t bytes) noexcept;
    /// Throws ERROR_WRITE with the first failure of open, write or close: some file systems tell only then.
    void close();

  private:
    bool write_row(const char *data, std::size_t bytes, std::uint64_t at) noexcept;
    void remember(const char *what) noexcept;

    std::string path_;
    std::vector<std::uint64_t> offsets_;
    int descriptor_ = -1;
    int error_ = 0; // errno of the first failure
    const char *failed_ = nullptr;
};

} // namespace surrogate::mpi
