// A folder in $TMPDIR that goes with the object.
#pragma once

#include <string>

namespace surrogate::mpi {

class ScratchFolder {
  public:
    ScratchFolder() = default;
    ~ScratchFolder();
    ScratchFolder(const ScratchFolder &) = delete;
    ScratchFolder &operator=(const ScratchFolder &) = delete;

    /// Make the folder, which only this user may enter. ERROR_WRITE.
    void make();
    /// Write a file below it, with the folders on the way. ERROR_WRITE.
    void write(const std::string &name, const void *data, std::size_t size) const;
    const std::string &path() const { return path_; } ///< "": not made

  private:
    std::string path_;
};

} // namespace surrogate::mpi
