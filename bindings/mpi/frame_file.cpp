#include "frame_file.h"

#include "failure.h"

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace surrogate::mpi {

FrameFile::FrameFile(std::string path, std::vector<std::uint64_t> offsets)
    : path_(std::move(path)), offsets_(std::move(offsets)) {}

FrameFile::FrameFile(FrameFile &&other) noexcept
    : path_(std::move(other.path_)), offsets_(std::move(other.offsets_)),
      descriptor_(std::exchange(other.descriptor_, -1)), error_(other.error_), failed_(other.failed_) {}

FrameFile::~FrameFile() {
    if (descriptor_ >= 0)
        ::close(descriptor_);
}

void FrameFile::remember(const char *what) noexcept {
    if (failed_)
        return;
    error_ = errno;
    failed_ = what;
}

void FrameFile::open() noexcept {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0)
        remember("open");
}

bool FrameFile::write_row(const char *data, std::size_t bytes, std::uint64_t at) noexcept {
    while (bytes > 0) {
        const ssize_t written = ::pwrite(descriptor_, data, bytes, static_cast<off_t>(at));
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            remember("write");
            return false;
        }
        data += written;
        at += static_cast<std::uint64_t>(written);
        bytes -= static_cast<std::size_t>(written);
    }
    return true;
}

void FrameFile::write(const FieldPlace &place, const Box &block, std::size_t first, const char *data,
                      std::size_t bytes) noexcept {
    const Index shape = block.shape();
    std::int64_t run = shape[2]; // cells that follow one another in the file, too
    if (shape[2] == place.domain[2])
        run *= shape[1];
    if (shape[2] == place.domain[2] && shape[1] == place.domain[1])
        run *= shape[0];
    const std::size_t row = static_cast<std::size_t>(run) * place.cell;
    for (const std::size_t end = first + bytes; first < end && !failed_;) {
        const std::int64_t cell = static_cast<std::int64_t>(first / row) * run;
        const std::int64_t z = block.lower[0] + cell / (shape[1] * shape[2]);
        const std::int64_t y = block.lower[1] + cell / shape[2] % shape[1];
        const std::int64_t global = (z * place.domain[1] + y) * place.domain[2] + block.lower[2];
        const std::size_t begun = first % row, length = std::min(row - begun, end - first);
        if (!write_row(data, length, place.offset + static_cast<std::uint64_t>(global) * place.cell + begun))
            return;
        data += length;
        first += length;
    }
}

void FrameFile::close() {
    if (descriptor_ >= 0 && ::close(std::exchange(descriptor_, -1)) != 0)
        remember("close");
    if (failed_)
        fail(SURROGATE_ERROR_WRITE, "cannot ", failed_, " ", path_, ": ", std::generic_category().message(error_),
             "; the frame is not stored, the earlier ones are");
}

} // namespace surrogate::mpi
