// The files of a bundle and of its overlay, as they travel from the rank that reads them to the others.
#pragma once

#include "scratch.h"

#include <surrogate/surrogate.h>

#include <cstdint>
#include <string>
#include <vector>

namespace surrogate::mpi {

/// Which files, in the order of their bytes.
class Package {
  public:
    Package() = default;
    explicit Package(const std::vector<char> &packed);
    std::vector<char> packed() const;

    /// List the bundle in folder `bundle` and what `overlay` ("": none) holds of it. ERROR_NOT_FOUND, ERROR_CORRUPT for
    /// files of the bundle; what cannot be read of an overlay is left out.
    void list(const std::string &bundle, const std::string &overlay);
    /// Read all that was listed.
    void read(char *bytes) const;

    std::uint64_t size() const; ///< bytes of all files
    bool has_overlay() const;
    /// Whether a program of the bundle itself must be a file.
    bool needs_folder() const { return needs_folder_; }

    /// The bundle's files, for surrogate_open_memory.
    std::vector<surrogate_file> bundle_files(const char *bytes) const;
    /// Write the overlay, and the bundle if it needs to be a folder, to `folder`/overlay and `folder`/bundle.
    void unpack(const ScratchFolder &folder, const char *bytes) const;

  private:
    enum Part : std::uint8_t { BUNDLE, OVERLAY };
    struct File {
        std::string name; // in its part
        std::uint64_t size;
        Part part;
        std::string path; // where it was listed; "" on other ranks
    };
    void list_overlay(const std::string &folder, const std::string &name);

    std::vector<File> files_; // manifest.json first
    bool needs_folder_ = false;
};

} // namespace surrogate::mpi
