#include "scratch.h"

#include "core/files.h"
#include "failure.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace surrogate::mpi {

namespace {

[[noreturn]] void fail_write(const std::string &path) {
    fail(SURROGATE_ERROR_WRITE, "cannot write ", path, " (", core::error_text(errno),
         "); set TMPDIR to a folder with room for the bundle's programs");
}

void make_folders(const std::string &root, const std::string &name) {
    for (std::size_t at = name.find('/'); at != std::string::npos; at = name.find('/', at + 1))
        if (const std::string path = root + "/" + name.substr(0, at); ::mkdir(path.c_str(), 0700) != 0)
            if (errno != EEXIST)
                fail_write(path);
}

} // namespace

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty())
        std::filesystem::remove_all(path_, ignored);
}

void ScratchFolder::make() {
    const char *root = std::getenv("TMPDIR");
    std::string path = text(root && *root ? root : "/tmp", "/surrogate-XXXXXX");
    if (!::mkdtemp(path.data()))
        fail_write(path);
    path_ = path;
}

void ScratchFolder::write(const std::string &name, const void *data, std::size_t size) const {
    make_folders(path_, name);
    const std::string path = path_ + "/" + name;
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700); // programs are libraries
    if (file < 0)
        fail_write(path);
    const char *from = static_cast<const char *>(data);
    for (std::size_t done = 0; done < size;) {
        const ssize_t count = ::write(file, from + done, size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            ::close(file);
            fail_write(path);
        }
        done += static_cast<std::size_t>(count);
    }
    if (::close(file) != 0)
        fail_write(path);
}

} // namespace surrogate::mpi
