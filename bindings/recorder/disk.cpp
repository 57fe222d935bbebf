#include "disk.hpp"

#include "hdf5.hpp"

#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>

namespace recorder {

void fail_disk(const std::string &what, int error) {
    throw Failure(SURROGATE_ERROR_WRITE, what + ": " + std::generic_category().message(error));
}

namespace {

/// A file descriptor; the host's children do not inherit it.
class File {
  public:
    File(const std::string &path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
        if (descriptor_ < 0)
            fail_disk("cannot open " + path, errno);
    }
    ~File() { ::close(descriptor_); }
    File(const File &) = delete;
    File &operator=(const File &) = delete;
    operator int() const { return descriptor_; }

  private:
    int descriptor_;
};

void write_all(const std::string &path, const char *data, std::size_t size) {
    const File file(path, O_WRONLY | O_CREAT | O_TRUNC);
    while (size > 0) {
        const ssize_t written = ::write(file, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            fail_disk("cannot write " + path, errno);
        data += written;
        size -= static_cast<std::size_t>(written);
    }
}

bool ends_with(const std::string &name, const std::string &end) {
    return name.size() > end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
}

bool is_ours(const std::string &name) {
    return ends_with(name, ".partial") ||
           (ends_with(name, ".h5") && name.find_first_not_of("0123456789") == name.size() - 3);
}

} // namespace

void publish(const std::string &path, const void *data, std::size_t size) {
    const std::string partial = path + ".partial";
    try {
        write_all(partial, static_cast<const char *>(data), size);
        rename_file(partial, path);
    } catch (...) {
        ::unlink(partial.c_str());
        throw;
    }
}

void reserve(const std::string &path, std::uint64_t bytes) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < bytes)
        fail_disk("cannot write " + path, EFBIG);
    const File file(path, O_WRONLY);
    if (::fallocate(file, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) == 0)
        return;
    if (errno != EOPNOTSUPP && errno != ENOSYS)
        fail_disk("cannot reserve " + std::to_string(bytes) + " bytes for " + path, errno);
    struct statvfs disk {};
    if (::fstatvfs(file, &disk) == 0 && disk.f_bavail * disk.f_frsize < bytes)
        fail_disk("cannot write " + path, ENOSPC);
}

void trim(const std::string &path) {
    if (::truncate(path.c_str(), static_cast<off_t>(file_size(path))) != 0)
        fail_disk("cannot trim " + path, errno);
}

std::uint64_t file_size(const std::string &path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0)
        fail_disk("cannot read " + path, errno);
    return static_cast<std::uint64_t>(found.st_size);
}

std::string absolute(const std::string &path) {
    char folder[4096];
    if (path[0] == '/')
        return path;
    if (!::getcwd(folder, sizeof folder))
        fail_disk("cannot find the current folder", errno);
    return std::string(folder) + "/" + path;
}

bool exists(const std::string &path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0;
}

void make_folder(const std::string &path) {
    if (::mkdir(path.c_str(), 0777) != 0)
        fail_disk("cannot make the folder " + path, errno);
}

void rename_file(const std::string &from, const std::string &to) {
    if (::rename(from.c_str(), to.c_str()) != 0)
        fail_disk("cannot rename " + from + " to " + to, errno);
}

void remove_frames(const std::string &folder) noexcept {
    DIR *handle = ::opendir(folder.c_str());
    if (!handle)
        return;
    while (const dirent *entry = ::readdir(handle))
        if (is_ours(entry->d_name))
            ::unlinkat(::dirfd(handle), entry->d_name, 0);
    ::closedir(handle);
    ::rmdir(folder.c_str());
}

} // namespace recorder
