#include "bundle.h"

#include "error.h"
#include "sha256.h"

#include <cerrno>
#include <string_view>
#include <sys/stat.h>

namespace surrogate::core {

namespace {

constexpr const char *MANIFEST = "manifest.json";
constexpr std::int64_t LARGEST_MANIFEST = std::int64_t{64} << 20; // bytes; real ones have thousands

bool is_folder(const std::string &path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

class Folder : public Source {
  public:
    explicit Folder(std::string path) : path_(std::move(path)) {}
    Bytes read(const std::string &name) const override {
        const std::string file = path(name);
        check_inside(path_, file, "bundle");
        return read_file(file);
    }
    std::int64_t size(const std::string &name) const override { return file_size(path(name)); }
    std::string hash(const std::string &name) const override {
        const Bytes bytes = read(name);
        return sha256(bytes.data(), bytes.size());
    }
    bool has(const std::string &) const override { return true; }
    std::string path(const std::string &name) const override { return path_ + "/" + name; }
    std::string label() const override { return path_; }

  private:
    std::string path_;
};

class Memory : public Source {
  public:
    Memory(const surrogate_file *files, std::size_t count) : files_(files), count_(count) {}
    Bytes read(const std::string &name) const override {
        const surrogate_file &file = find(name);
        const char *data = static_cast<const char *>(file.data);
        return file.size ? Bytes(data, data + file.size) : Bytes();
    }
    std::int64_t size(const std::string &name) const override { return static_cast<std::int64_t>(find(name).size); }
    std::string hash(const std::string &name) const override {
        const surrogate_file &file = find(name);
        return sha256(file.data, file.size);
    }
    bool has(const std::string &name) const override { return index(name) < count_; }
    std::string path(const std::string &) const override { return ""; }
    std::string label() const override { return "bundle in memory"; }

  private:
    std::size_t index(const std::string &name) const {
        std::size_t i = 0;
        while (i < count_ && name != files_[i].name)
            ++i;
        return i;
    }
    const surrogate_file &find(const std::string &name) const {
        const std::size_t i = index(name);
        if (i < count_)
            return files_[i];
        std::vector<std::string> names;
        for (std::size_t k = 0; k < count_; ++k)
            names.emplace_back(files_[k].name);
        fail(SURROGATE_ERROR_NOT_FOUND, "the file '", name, "' of the bundle was not given", suggestion(name, names),
             "; given were ", names_text(names), "; hand over every file of the bundle");
    }

    const surrogate_file *files_;
    std::size_t count_;
};

} // namespace

Bundle::Bundle(std::unique_ptr<Source> source, std::string path) : source_(std::move(source)), path_(std::move(path)) {
    if (const auto size = source_->size(MANIFEST); size > LARGEST_MANIFEST)
        fail(SURROGATE_ERROR_CORRUPT, source_->label(), ": manifest.json has ", size, " bytes, expected at most ",
             LARGEST_MANIFEST, "; export the bundle again");
    const Bytes document = source_->read(MANIFEST);
    manifest_hash_ = sha256(document.data(), document.size());
    manifest_ = parse_manifest({document.data(), document.size()}, source_->label() + ": manifest.json");
    for (const auto &file : manifest_.files)
        if (!stays_inside(file.first))
            fail(SURROGATE_ERROR_CORRUPT, source_->label(), ": manifest.json: files: '", file.first.c_str(),
                 "' leaves the bundle; expected a relative path with '/' and without '..'");
}

Bundle Bundle::open_folder(const char *given) {
    std::string path = given;
    while (path.size() > 1 && path.back() == '/')
        path.pop_back();
    if (!is_folder(path)) {
        struct stat status {};
        const bool exists = ::stat(path.c_str(), &status) == 0;
        const int error = exists ? ENOTDIR : errno;
        const std::string longer = path + ".surrogate";
        fail(SURROGATE_ERROR_NOT_FOUND, "no bundle at '", given, "' (", error_text(error),
             "); expected a folder NAME.surrogate that holds manifest.json",
             is_folder(longer) ? text("; did you mean '", longer, "'?") : std::string());
    }
    struct stat status {};
    if (::stat((path + "/" + MANIFEST).c_str(), &status) != 0)
        fail(SURROGATE_ERROR_NOT_FOUND, "no bundle at '", given, "': the folder has no manifest.json (",
             error_text(errno), "); give the folder NAME.surrogate that `surrogate export` wrote");
    return Bundle(std::make_unique<Folder>(path), path);
}

Bundle Bundle::open_memory(const surrogate_file *files, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        if (!files[i].name || (!files[i].data && files[i].size))
            fail(SURROGATE_ERROR_ARGUMENT, "files[", i, "]: name or data is NULL");
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t k = 0; k < i; ++k)
            if (std::string_view(files[i].name) == files[k].name)
                fail(SURROGATE_ERROR_ARGUMENT, "files[", i, "]: the name '", files[i].name, "' is that of files[", k,
                     "] too; give every file once");
    Bundle bundle(std::make_unique<Memory>(files, count), "");
    for (const auto &file : bundle.manifest_.files)
        if (bundle.source_->has(file.first))
            bundle.remembered_.emplace(file.first, bundle.source_->hash(file.first));
    return bundle;
}

void Bundle::check_size(const std::string &name, std::int64_t bytes) const {
    const std::int64_t expected = manifest_.files.at(name).bytes;
    if (bytes != expected)
        fail(SURROGATE_ERROR_CORRUPT, label(), ": ", name, " has ", bytes, " bytes, the manifest says ", expected,
             "; the bundle is truncated or was edited: copy or export it again");
}

void Bundle::check_hash(const std::string &name, const std::string &hash) const {
    const std::string &expected = manifest_.files.at(name).sha256;
    if (hash != expected)
        fail(SURROGATE_ERROR_CORRUPT, label(), ": ", name, " has SHA-256 ", hash.substr(0, 12),
             "..., the manifest says ", expected.substr(0, 12),
             "...; the bundle is damaged or was edited: copy or export it again");
}

Bytes Bundle::read_checked(const std::string &name) const {
    check_size(name, source_->size(name)); // before it is read: a wrong file may be larger than memory
    Bytes bytes = source_->read(name);
    const auto known = remembered_.find(name);
    check_hash(name, known != remembered_.end() ? known->second : sha256(bytes.data(), bytes.size()));
    return bytes;
}

void Bundle::check_all() const {
    for (const auto &file : manifest_.files)
        if (!path_.empty()) {
            check_size(file.first, source_->size(file.first));
            check_hash(file.first, source_->hash(file.first));
        } else if (const auto known = remembered_.find(file.first); known != remembered_.end())
            check_hash(file.first, known->second);
}

void Bundle::release() {
    if (path_.empty())
        source_ = std::make_unique<Memory>(nullptr, 0);
}

} // namespace surrogate::core
