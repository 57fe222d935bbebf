// Memory that the ranks of a node share: one copy of a bundle a node.
#pragma once

#include "node.h"

namespace surrogate::mpi {

/// A file in memory, without a name in any file system, that other processes of the user open through /proc. (A window
/// of MPI would be made by a collective call, which has no deadline, and in /dev/shm, which containers keep small.)
class SharedBytes {
  public:
    SharedBytes() = default;
    ~SharedBytes();
    SharedBytes(const SharedBytes &) = delete;
    SharedBytes &operator=(const SharedBytes &) = delete;

    /// What another process needs to find the memory.
    struct Ticket {
        std::int64_t process, descriptor;
        std::uint64_t size, mark; ///< the mark stands in the memory too
    };

    /// `size` bytes that this process writes. ERROR_MEMORY.
    void allocate(std::size_t size);
    Ticket ticket() const;
    /// The memory that `ticket` tells of, for reading; false if it is out of reach (another container, another system).
    bool attach(const Ticket &ticket);

    char *data() const { return memory_ + HEADER; }
    std::size_t size() const { return size_; }

  private:
    static constexpr std::size_t HEADER = 64; // keeps the data aligned
    void map(int protection);

    char *memory_ = nullptr;
    std::size_t size_ = 0;
    int descriptor_ = -1; // -1: memory of this process alone
    std::uint64_t mark_ = 0;
};

/// Give the content that crew[0] holds to the other ranks of its node, `crew`: by attaching, or by a copy where that
/// fails. Called by the crew; on ERROR_TIMEOUT all ranks must agree, and `bytes` must be leaked. Returns how many ranks
/// hold a copy of their own.
int share(Communicator &communicator, const std::vector<int> &crew, SharedBytes &bytes);

} // namespace surrogate::mpi
