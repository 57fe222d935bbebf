// A bundle: its manifest and its files, on disk or in memory, each checked before it is used.
#pragma once

#include "files.h"
#include "manifest.h"

#include <surrogate/surrogate.h>

#include <memory>

namespace surrogate::core {

/// Where a bundle's files come from.
class Source {
  public:
    virtual ~Source() = default;
    /// Content of a file; ERROR_NOT_FOUND if it is not there, ERROR_CORRUPT if a link leads out of the bundle.
    virtual Bytes read(const std::string &name) const = 0;
    /// Its size in bytes; ERROR_NOT_FOUND if it is not there.
    virtual std::int64_t size(const std::string &name) const = 0;
    /// Its SHA-256 as it is now.
    virtual std::string hash(const std::string &name) const = 0;
    virtual bool has(const std::string &name) const = 0;
    /// Path of a file on disk; "" if there is none.
    virtual std::string path(const std::string &name) const = 0;
    /// For messages: the folder, or "bundle in memory".
    virtual std::string label() const = 0;
};

class Bundle {
  public:
    static Bundle open_folder(const char *path);
    static Bundle open_memory(const surrogate_file *files, std::size_t count);

    const Manifest &manifest() const { return manifest_; }
    const std::string &path() const { return path_; }                   ///< "" if from memory
    const std::string &manifest_hash() const { return manifest_hash_; } ///< SHA-256 of manifest.json: names the bundle
    std::string file_path(const std::string &name) const { return source_->path(name); }
    std::string label() const { return source_->label(); }

    /// Content of a file that the manifest names, after size and hash were checked.
    Bytes read_checked(const std::string &name) const;
    /// Hash every file of the manifest again. From memory: those that were given, as they were at open.
    void check_all() const;
    /// Drop what open borrowed from the caller: from here on only `check_all` may be called.
    void release();

  private:
    Bundle(std::unique_ptr<Source> source, std::string path);
    void check_size(const std::string &name, std::int64_t bytes) const;
    void check_hash(const std::string &name, const std::string &hash) const;

    std::unique_ptr<Source> source_;
    std::string path_;
    std::string manifest_hash_;
    Manifest manifest_;
    std::map<std::string, std::string> remembered_; // hashes of files that were in memory at open
};

} // namespace surrogate::core
