#include "bundle.h"

#include "error.h"
#include "sha256.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/stat.h>
#include <system_error>

namespace surrogate::core {

namespace {

constexpr const char *MANIFEST = "manifest.json";

std::string reason(int error) {
    return std::generic_category().message(error);
}

bool is_folder(const std::string &path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

class Folder : public Source {
  public:
    explicit Folder(std::string path) : path_(std::move(path)) {}
    Bytes read(const std::string &name) const override { return read_file(path(name)); }
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
    bool has(const std::string &name) const override { return index(name) < count_; }
    std::string path(const std::string &) const override { return ""; }
    std::string label() const override { return "bundle in memory"; }
    FileEntry entry(const std::string &name) const override {
        const surrogate_file &file = find(name);
        return {static_cast<std::int64_t>(file.size), sha256(file.data, file.size)};
    }

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

Bytes read_file(const std::string &path) {
    struct Close {
        void operator()(std::FILE *file) const { std::fclose(file); }
    };
    const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rbe"));
    struct stat status {};
    if (!file || ::fstat(::fileno(file.get()), &status) != 0)
        fail(SURROGATE_ERROR_NOT_FOUND, "cannot read ", path, " (", reason(errno), "); copy the bundle again, whole");
    if (!S_ISREG(status.st_mode))
        fail(SURROGATE_ERROR_NOT_FOUND, "cannot read ", path, " (not a regular file)");
    Bytes bytes(static_cast<std::size_t>(status.st_size));
    if (!bytes.empty() && std::fread(bytes.data(), 1, bytes.size(), file.get()) != bytes.size())
        fail(SURROGATE_ERROR_NOT_FOUND, "cannot read all ", bytes.size(), " bytes of ", path, " (", reason(errno), ")");
    return bytes;
}

FileEntry Source::entry(const std::string &name) const {
    const Bytes bytes = read(name);
    return {static_cast<std::int64_t>(bytes.size()), sha256(bytes.data(), bytes.size())};
}

bool stays_inside(const std::string &name) {
    if (name.empty() || name.find_first_of(std::string("\\:\0", 3)) != std::string::npos)
        return false;
    for (std::size_t start = 0; start <= name.size();) {
        const std::size_t end = std::min(name.find('/', start), name.size());
        const std::string_view part = std::string_view(name).substr(start, end - start);
        if (part.empty() || part == "." || part == "..")
            return false;
        start = end + 1;
    }
    return true;
}

Bundle::Bundle(std::unique_ptr<Source> source, std::string path) : source_(std::move(source)), path_(std::move(path)) {
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
        fail(SURROGATE_ERROR_NOT_FOUND, "no bundle at '", given, "' (", reason(error),
             "); expected a folder NAME.surrogate that holds manifest.json",
             is_folder(longer) ? text("; did you mean '", longer, "'?") : std::string());
    }
    struct stat status {};
    if (::stat((path + "/" + MANIFEST).c_str(), &status) != 0)
        fail(SURROGATE_ERROR_NOT_FOUND, "no bundle at '", given, "': the folder has no manifest.json (", reason(errno),
             "); give the folder NAME.surrogate that `surrogate export` wrote");
    return Bundle(std::make_unique<Folder>(path), path);
}

Bundle Bundle::open_memory(const surrogate_file *files, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        if (!files[i].name || (!files[i].data && files[i].size))
            fail(SURROGATE_ERROR_ARGUMENT, "files[", i, "]: name or data is NULL");
    Bundle bundle(std::make_unique<Memory>(files, count), "");
    for (const auto &file : bundle.manifest_.files)
        if (bundle.source_->has(file.first))
            bundle.remembered_.emplace(file.first, bundle.source_->entry(file.first));
    return bundle;
}

void Bundle::check(const std::string &name, const FileEntry &found) const {
    const FileEntry &expected = manifest_.files.at(name);
    if (found.bytes != expected.bytes)
        fail(SURROGATE_ERROR_CORRUPT, label(), ": ", name, " has ", found.bytes, " bytes, the manifest says ",
             expected.bytes, "; the bundle is truncated or was edited: copy or export it again");
    if (found.sha256 != expected.sha256)
        fail(SURROGATE_ERROR_CORRUPT, label(), ": ", name, " has SHA-256 ", found.sha256.substr(0, 12),
             "..., the manifest says ", expected.sha256.substr(0, 12),
             "...; the bundle is damaged or was edited: copy or export it again");
}

Bytes Bundle::read_checked(const std::string &name) const {
    Bytes bytes = source_->read(name);
    const auto known = remembered_.find(name);
    const auto size = static_cast<std::int64_t>(bytes.size());
    if (known != remembered_.end())
        check(name, known->second);
    else if (size != manifest_.files.at(name).bytes)
        check(name, {size, ""});
    else
        check(name, {size, sha256(bytes.data(), bytes.size())});
    return bytes;
}

void Bundle::check_all() const {
    for (const auto &file : manifest_.files)
        if (path_.empty()) {
            const auto known = remembered_.find(file.first);
            if (known != remembered_.end())
                check(file.first, known->second);
        } else {
            check(file.first, source_->entry(file.first));
        }
}

void Bundle::release() {
    if (path_.empty())
        source_ = std::make_unique<Memory>(nullptr, 0);
}

} // namespace surrogate::core
