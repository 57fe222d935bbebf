#include "files.h"

#include "error.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace surrogate::core {

namespace {

[[noreturn]] void fail_read(const std::string &path, const std::string &why) {
    fail(SURROGATE_ERROR_NOT_FOUND, "cannot read ", path, " (", why, "); copy the bundle again, whole");
}

/// A regular file, opened for reading.
class OpenFile {
  public:
    explicit OpenFile(const std::string &path)
        : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) { // a FIFO would block
        struct stat status {};
        if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0)
            give_up(error_text(errno));
        if (!S_ISREG(status.st_mode))
            give_up("not a regular file");
        size_ = std::int64_t{status.st_size};
    }
    ~OpenFile() { ::close(descriptor_); }
    OpenFile(const OpenFile &) = delete;
    OpenFile &operator=(const OpenFile &) = delete;

    std::int64_t size() const { return size_; }

    void read(char *data) const {
        const auto size = static_cast<std::size_t>(size_);
        for (std::size_t done = 0; done < size;) {
            const ssize_t count = ::read(descriptor_, data + done, size - done);
            if (count < 0 && errno == EINTR)
                continue;
            if (count <= 0)
                fail_read(path_, text(done, " of ", size_, " bytes: ", count ? error_text(errno) : "the file shrank"));
            done += static_cast<std::size_t>(count);
        }
    }

  private:
    /// For the constructor, after which no destructor runs.
    [[noreturn]] void give_up(const std::string &why) const {
        if (descriptor_ >= 0)
            ::close(descriptor_);
        fail_read(path_, why);
    }

    const std::string &path_;
    const int descriptor_;
    std::int64_t size_ = 0;
};

} // namespace

std::string error_text(int error) {
    return std::generic_category().message(error);
}

Bytes read_file(const std::string &path) {
    const OpenFile file(path);
    Bytes bytes(static_cast<std::size_t>(file.size()));
    file.read(bytes.data());
    return bytes;
}

void read_file(const std::string &path, void *data, std::size_t size) {
    const OpenFile file(path);
    if (static_cast<std::size_t>(file.size()) != size)
        fail_read(path, text("it has ", file.size(), " bytes now, ", size, " a moment ago"));
    file.read(static_cast<char *>(data));
}

std::int64_t file_size(const std::string &path) {
    return OpenFile(path).size();
}

void check_inside(const std::string &folder, const std::string &path, const char *what) {
    struct Free {
        void operator()(char *text) const { std::free(text); }
    };
    const std::unique_ptr<char, Free> root(::realpath(folder.c_str(), nullptr));
    const std::unique_ptr<char, Free> target(root ? ::realpath(path.c_str(), nullptr) : nullptr);
    if (!target)
        fail_read(path, error_text(errno));
    const std::string_view inside = root.get(), found = target.get();
    if (inside != "/" && (found.substr(0, inside.size()) != inside || found[inside.size()] != '/'))
        fail(SURROGATE_ERROR_CORRUPT, path, " is a link that leaves the ", what, ", to ", found,
             "; expected a file inside ", inside, ": copy the ", what, " with its files in place of links");
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

} // namespace surrogate::core
