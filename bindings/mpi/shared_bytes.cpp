#include "shared_bytes.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace surrogate::mpi {

namespace {

/// A file in memory of `size` bytes that are there; -1 if the system has none.
int memory_file(std::size_t size) {
#ifdef __linux__
    struct rlimit limit {}; // beyond it the system would end the process
    if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur < size)
        return -1;
    const int descriptor = ::memfd_create("surrogate", MFD_CLOEXEC);
    if (descriptor >= 0 && ::posix_fallocate(descriptor, 0, static_cast<off_t>(size)) == 0)
        return descriptor;
    if (descriptor >= 0)
        ::close(descriptor);
#endif
    static_cast<void>(size);
    return -1;
}

/// Differs from what any other process, or an earlier one of this number, has drawn.
std::uint64_t fresh_mark() {
    const auto now = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
    return now * 0x9e3779b97f4a7c15U ^ (static_cast<std::uint64_t>(::getpid()) << 32);
}

} // namespace

SharedBytes::~SharedBytes() {
    if (memory_)
        ::munmap(memory_, size_ + HEADER);
    if (descriptor_ >= 0)
        ::close(descriptor_);
}

void SharedBytes::map(int protection) {
    const int flags = descriptor_ >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
    void *memory = ::mmap(nullptr, size_ + HEADER, protection, flags, descriptor_, 0);
    memory_ = memory == MAP_FAILED ? nullptr : static_cast<char *>(memory);
}

void SharedBytes::allocate(std::size_t size) {
    size_ = size;
    descriptor_ = memory_file(size + HEADER);
    map(PROT_READ | PROT_WRITE);
    if (!memory_)
        fail(SURROGATE_ERROR_MEMORY, "no memory for the bundle's ", size, " bytes");
    mark_ = fresh_mark();
    std::memcpy(memory_, &mark_, sizeof mark_);
}

SharedBytes::Ticket SharedBytes::ticket() const {
    return {::getpid(), descriptor_, size_, mark_};
}

bool SharedBytes::attach(const Ticket &ticket) {
    if (ticket.descriptor < 0)
        return false;
    const std::string path = text("/proc/", ticket.process, "/fd/", ticket.descriptor);
    struct stat status {};
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_ = ticket.size;
    if (descriptor_ >= 0 && ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode) &&
        static_cast<std::uint64_t>(status.st_size) == ticket.size + HEADER)
        map(PROT_READ);
    if (memory_ && std::memcmp(memory_, &ticket.mark, sizeof ticket.mark) == 0)
        return true;
    if (memory_)
        ::munmap(memory_, size_ + HEADER);
    if (descriptor_ >= 0)
        ::close(descriptor_);
    memory_ = nullptr;
    descriptor_ = -1;
    return false;
}

int share(Communicator &communicator, const std::vector<int> &crew, SharedBytes &bytes) {
    const bool holds = communicator.rank() == crew.front();
    Kept<SharedBytes::Ticket> ticket(communicator);
    if (holds)
        *ticket = bytes.ticket();
    spread(communicator, crew, &*ticket, sizeof *ticket);
    const bool attached = holds || bytes.attach(*ticket);
    std::vector<int> without = crew; // ranks that need a copy, after the holder
    const auto flags = gather_records(communicator, crew, std::int32_t{attached});
    without.erase(std::remove_if(without.begin(), without.end(),
                                 [&](int rank) {
                                     const auto at = std::find(crew.begin(), crew.end(), rank) - crew.begin();
                                     return at > 0 && flags[static_cast<std::size_t>(at)];
                                 }),
                  without.end());
    if (!attached)
        bytes.allocate(ticket->size);
    if (std::find(without.begin(), without.end(), communicator.rank()) != without.end())
        spread(communicator, without, bytes.data(), ticket->size);
    return static_cast<int>(without.size()) - 1;
}

} // namespace surrogate::mpi
