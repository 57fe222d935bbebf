// The ranks that share a model: a communicator of our own, and every way in which its ranks wait for one another.
//
// No call of MPI blocks after open. Ranks that wait look with MPI_Test or MPI_Improbe, sleep between looks, and give up
// after the deadline. Ranks form a binomial tree over which they agree (agreement.h). A rank that has waited for a
// quarter of the deadline, wherever, tells its neighbours in the tree so, and again every quarter: a neighbour counts
// from the last word, so that only a rank that says nothing at all is silent, however long the chain of ranks that wait
// for it.
#pragma once

#include "failure.h"

#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace surrogate::mpi {

/// Seconds that a rank may be silent, unless the caller says otherwise.
constexpr double PRESET_DEADLINE = 600;

/// Tags on our own communicator; TRANSFER and above are free for exchanges.
enum Tag : int { TAG_UP = 1, TAG_DOWN = 2, TAG_TREE = 3, TAG_TRANSFER = 16 };

/// A rank's place in the binomial tree of `size` ranks: children are rank + 1, + 2, + 4, ... below its lowest set bit.
struct Tree {
    Tree(int rank, int size);
    int parent = -1; ///< -1: the root, rank 0
    std::vector<int> children;
};

/// What is said of a rank that nothing came from.
std::string silence_text(int rank, double deadline);

class Communicator {
  public:
    /// Collective: a duplicate of `given`, with an error handler of its own. ERROR_ARGUMENT for what is no
    /// intra-communicator of a running MPI; ERROR_TIMEOUT if not all ranks come within `deadline` seconds.
    Communicator(MPI_Comm given, double deadline);
    /// Leaves to MPI what was not released.
    ~Communicator();
    Communicator(const Communicator &) = delete;
    Communicator &operator=(const Communicator &) = delete;

    /// Collective: give the duplicate back. Without effect once broken: freeing would wait for the silent rank.
    void release() noexcept;

    int rank() const { return rank_; }
    int size() const { return size_; }
    MPI_Comm comm() const { return comm_; }
    double deadline() const { return deadline_; } ///< seconds
    const Tree &tree() const { return tree_; }

    /// Whether a wait ran out. From then on nothing may be freed that MPI might still read or write: see Kept.
    bool broken() const { return suspect_ >= 0; }
    /// The rank that a wait of this rank ran out on; -1: none.
    int suspect() const { return suspect_; }
    /// After the ranks have agreed that one is silent: every later call ends with ERROR_TIMEOUT and this text.
    void mark_silent(int rank, std::string text);
    /// After a rank has closed what others still use: every later call ends with ERROR_ARGUMENT.
    void mark_left(int rank);
    /// The error of every call once MPI is finalised, or a rank is known to be silent or gone.
    void require_heard() const;

    /// Begin to send or receive `bytes` from `data`, in pieces that MPI can count; appended to `requests` and `peers`.
    void send(std::vector<MPI_Request> &requests, std::vector<int> &peers, const void *data, std::size_t bytes, int to,
              int tag);
    void receive(std::vector<MPI_Request> &requests, std::vector<int> &peers, void *data, std::size_t bytes, int from,
                 int tag);
    /// Wait for all `requests`; peers[i]: the other rank of requests[i]. ERROR_TIMEOUT naming the first peer that
    /// nothing came from for `deadline_seconds`; what: "its halo", for the text. All ranks must agree after that, which
    /// tells a silent rank from one that waited for it.
    void wait(std::vector<MPI_Request> &requests, const std::vector<int> &peers, double deadline_seconds,
              const char *what);

    /// A message of the tree: copied, and on its way when the function returns. Not on the hot path allocated anew.
    void post(const void *data, std::size_t bytes, int to, int tag);
    /// Take the next message from `from` if one is there.
    bool take(std::vector<char> &message, int from, int tag);
    /// Tell the neighbours in the tree that this rank is alive.
    void tell_alive();

    static constexpr std::size_t LARGEST_PIECE = std::size_t{1} << 30; // bytes; below INT_MAX
    std::size_t piece = LARGEST_PIECE;                                 ///< bytes of one message; tests make it smaller

    /// What `agree` has heard of a child; kept, so that nothing is allocated anew.
    struct Child {
        std::vector<char> message;
        std::chrono::steady_clock::time_point heard;
        bool done;
    };
    std::vector<Child> inbox; ///< in the order of tree().children
    struct {
        std::vector<char> message;
        std::vector<std::uint64_t> bits;
    } agreement; ///< its own

  private:
    struct Letter {
        MPI_Request request = MPI_REQUEST_NULL;
        int to = -1;
        std::vector<char> bytes;
    };
    void duplicate(MPI_Comm given);
    Letter &free_letter();
    void take_leave();
    void abandon();

    MPI_Comm comm_ = MPI_COMM_NULL;
    int rank_ = 0, size_ = 1;
    double deadline_;
    Tree tree_{0, 1};
    int first_tag_ = 0; // added to every tag
    int suspect_ = -1;
    std::string silence_; // after an agreement about it, or about a rank that has left
    int silence_status_ = SURROGATE_ERROR_TIMEOUT;
    std::vector<std::unique_ptr<Letter>> letters_;
    std::vector<MPI_Request> one_request_;
    std::vector<int> one_peer_;
};

/// Memory that MPI reads or writes: leaked if the communicator is broken when this goes.
template <class T> struct Kept {
    explicit Kept(const Communicator &communicator) : communicator(communicator), value(std::make_unique<T>()) {}
    ~Kept() {
        if (communicator.broken())
            static_cast<void>(value.release());
    }
    Kept(const Kept &) = delete;
    Kept &operator=(const Kept &) = delete;
    T &operator*() const { return *value; }
    T *operator->() const { return value.get(); }

    const Communicator &communicator;
    std::unique_ptr<T> value;
};

/// Copy `bytes` at `data` from ranks[0] to the other `ranks`, down a tree, piece by piece. Called by these ranks only;
/// on ERROR_TIMEOUT all ranks must agree, and `data` must be leaked.
void spread(Communicator &communicator, const std::vector<int> &ranks, void *data, std::size_t bytes);

/// The bytes of rank `root`, on all ranks; what the others give is ignored. Collective; on ERROR_TIMEOUT all ranks must
/// agree.
std::vector<char> broadcast(Communicator &communicator, std::vector<char> bytes, int root);

/// The records of `ranks`, in that order, on all of these. `bytes`: size of one, the same everywhere. Called by these
/// ranks only, with the same list; else as above.
std::vector<char> all_gather(Communicator &communicator, const std::vector<int> &ranks, const void *record,
                             std::size_t bytes);
/// Of all ranks of the communicator.
std::vector<char> all_gather(Communicator &communicator, const void *record, std::size_t bytes);

/// The same for records that may be copied as bytes.
template <class Record>
std::vector<Record> gather_records(Communicator &communicator, const std::vector<int> &ranks, const Record &record) {
    static_assert(std::is_trivially_copyable_v<Record>);
    const std::vector<char> bytes = all_gather(communicator, ranks, &record, sizeof record);
    std::vector<Record> records(ranks.size());
    std::memcpy(static_cast<void *>(records.data()), bytes.data(), bytes.size());
    return records;
}

/// 0, 1, ..., size - 1.
std::vector<int> all_ranks(const Communicator &communicator);

} // namespace surrogate::mpi
