#include "communicator.h"

#include "agreement.h"
#include "given_communicator.h"
#include "patience.h"

#include <algorithm>
#include <utility>

namespace surrogate::mpi {

namespace {

using Clock = std::chrono::steady_clock;

constexpr char ALIVE = 1, FAREWELL[2] = {2, 2}; // messages of the tree are told apart by their sizes
// Tags of the one agreement that may be held on the communicator of the caller; MPI guarantees tags up to 32767.
constexpr int BORROWED_TAGS = 32600;

double seconds(Clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

} // namespace

std::string silence_text(int rank, double deadline) {
    return text("rank ", rank, " was not heard of within the deadline of ", deadline,
                " s; was it stopped, or has it made another call? Only surrogate_mpi_close is legal now");
}

Tree::Tree(int rank, int size) {
    for (int step = 1; step < size; step *= 2) {
        if (rank & step) {
            parent = rank - step;
            break;
        }
        if (rank + step < size)
            children.push_back(rank + step);
    }
}

Communicator::Communicator(MPI_Comm given, double deadline) : deadline_(deadline) {
    check_running();
    check_intra(given);
    const ReturnedErrors hold(given);
    check_mpi(MPI_Comm_rank(given, &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(given, &size_), "MPI_Comm_size");
    tree_ = Tree(rank_, size_);
    inbox.resize(tree_.children.size());
    duplicate(given);
    check_mpi(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
}

/// MPI_Comm_idup can be given up, MPI_Comm_dup cannot. It does not tell who is missing: only then the ranks that are
/// there find it out by messages on the caller's communicator.
void Communicator::duplicate(MPI_Comm given) {
    struct Duplicate { // MPI writes to it
        MPI_Comm comm = MPI_COMM_NULL;
        MPI_Request request = MPI_REQUEST_NULL;
    };
    auto duplicate = std::make_unique<Duplicate>();
    check_mpi(MPI_Comm_idup(given, &duplicate->comm, &duplicate->request), "MPI_Comm_idup");
    Clock::time_point now = Clock::now();
    const auto start = now;
    for (Naps naps; seconds(now - start) < deadline_;) {
        int done = 0;
        check_mpi(MPI_Test(&duplicate->request, &done, MPI_STATUS_IGNORE), "MPI_Comm_idup");
        if (done) {
            comm_ = duplicate->comm;
            return;
        }
        naps.take();
        now = Clock::now();
    }
    static_cast<void>(duplicate.release());
    comm_ = given;
    first_tag_ = BORROWED_TAGS;
    Opinion mine;
    mine.set(
        Failure(SURROGATE_ERROR_TIMEOUT, text("the communicator could not be duplicated within ", deadline_, " s")));
    try {
        require(agree(*this, "open: duplicate", mine));
    } catch (...) {
        abandon();
        throw;
    }
}

Communicator::~Communicator() {
    if (broken()) {
        abandon();
        return;
    }
    for (auto &letter : letters_) {
        int done = 0, ended = 0;
        MPI_Finalized(&ended);
        if (ended || MPI_Test(&letter->request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS || !done)
            static_cast<void>(letter.release());
    }
}

/// Leak what MPI may still read or write.
void Communicator::abandon() {
    for (auto &letter : letters_)
        static_cast<void>(letter.release());
    static_cast<void>(new std::vector<Child>(std::move(inbox)));
    static_cast<void>(new std::vector<char>(std::move(agreement.message)));
}

void Communicator::release() noexcept {
    try {
        if (!broken() && comm_ != MPI_COMM_NULL) {
            check_running();
            take_leave();
            MPI_Comm_free(&comm_);
        }
    } catch (...) { // a rank is silent, or MPI finalised: letters are leaked by the destructor
    }
    comm_ = MPI_COMM_NULL;
}

void Communicator::mark_silent(int rank, std::string text) {
    suspect_ = rank;
    silence_ = std::move(text);
}

void Communicator::mark_left(int rank) {
    mark_silent(rank,
                text("rank ", rank, " has closed it while other ranks were in another call; only close is legal"));
    silence_status_ = SURROGATE_ERROR_ARGUMENT;
}

void Communicator::require_heard() const {
    check_running();
    if (!silence_.empty())
        fail(silence_status_, silence_);
}

void Communicator::send(std::vector<MPI_Request> &requests, std::vector<int> &peers, const void *data,
                        std::size_t bytes, int to, int tag) {
    const char *at = static_cast<const char *>(data);
    for (std::size_t done = 0; done < bytes; done += piece) {
        const int count = static_cast<int>(std::min(piece, bytes - done));
        requests.push_back(MPI_REQUEST_NULL);
        peers.push_back(to);
        check_mpi(MPI_Isend(at + done, count, MPI_BYTE, to, first_tag_ + tag, comm_, &requests.back()), "MPI_Isend");
    }
}

void Communicator::receive(std::vector<MPI_Request> &requests, std::vector<int> &peers, void *data, std::size_t bytes,
                           int from, int tag) {
    char *at = static_cast<char *>(data);
    for (std::size_t done = 0; done < bytes; done += piece) {
        const int count = static_cast<int>(std::min(piece, bytes - done));
        requests.push_back(MPI_REQUEST_NULL);
        peers.push_back(from);
        check_mpi(MPI_Irecv(at + done, count, MPI_BYTE, from, first_tag_ + tag, comm_, &requests.back()), "MPI_Irecv");
    }
}

void Communicator::wait(std::vector<MPI_Request> &requests, const std::vector<int> &peers, double deadline_seconds,
                        const char *what) {
    Patience patience(*this);
    int error = MPI_SUCCESS; // of the first that failed: the others are waited for all the same
    std::size_t left = requests.size();
    for (Clock::time_point heard = Clock::now(), now = heard; left > 0; now = patience.pause()) {
        const std::size_t before = left;
        left = 0;
        int missing = -1;
        for (std::size_t i = 0; i < requests.size(); ++i) {
            int done = 1;
            if (requests[i] != MPI_REQUEST_NULL)
                if (const int rc = MPI_Test(&requests[i], &done, MPI_STATUS_IGNORE); rc != MPI_SUCCESS) {
                    error = error == MPI_SUCCESS ? rc : error;
                    requests[i] = MPI_REQUEST_NULL;
                    done = 1;
                }
            if (!done && left++ == 0)
                missing = peers[i];
        }
        if (left < before) {
            heard = now;
            patience.refresh();
        } else if (seconds(now - heard) > deadline_seconds) {
            suspect_ = missing;
            requests.clear();
            fail(SURROGATE_ERROR_TIMEOUT, "waited ", deadline_seconds, " s for ", what, " of rank ", missing);
        }
    }
    check_mpi(error, what);
}

Communicator::Letter &Communicator::free_letter() {
    for (auto &letter : letters_) {
        int done = 1;
        if (letter->request != MPI_REQUEST_NULL)
            check_mpi(MPI_Test(&letter->request, &done, MPI_STATUS_IGNORE), "MPI_Test");
        if (done)
            return *letter;
    }
    letters_.push_back(std::make_unique<Letter>());
    return *letters_.back();
}

void Communicator::post(const void *data, std::size_t bytes, int to, int tag) {
    Letter &letter = free_letter();
    letter.to = to;
    const char *first = static_cast<const char *>(data);
    letter.bytes.assign(first, first + bytes);
    check_mpi(
        MPI_Isend(letter.bytes.data(), static_cast<int>(bytes), MPI_BYTE, to, first_tag_ + tag, comm_, &letter.request),
        "MPI_Isend");
}

bool Communicator::take(std::vector<char> &message, int from, int tag) {
    int there = 0, bytes = 0;
    MPI_Message handle = MPI_MESSAGE_NULL;
    MPI_Status status;
    check_mpi(MPI_Improbe(from, first_tag_ + tag, comm_, &there, &handle, &status), "MPI_Improbe");
    if (!there)
        return false;
    MPI_Get_count(&status, MPI_BYTE, &bytes);
    message.resize(static_cast<std::size_t>(bytes));
    one_request_.assign(1, MPI_REQUEST_NULL);
    one_peer_.assign(1, from);
    check_mpi(MPI_Imrecv(message.data(), bytes, MPI_BYTE, &handle, one_request_.data()), "MPI_Imrecv");
    wait(one_request_, one_peer_, deadline_, "a message");
    return true;
}

void Communicator::tell_alive() {
    if (tree_.parent >= 0)
        post(&ALIVE, 1, tree_.parent, TAG_UP);
    for (const int child : tree_.children)
        post(&ALIVE, 1, child, TAG_DOWN);
}

void Communicator::take_leave() {
    const auto neighbours = [this](auto &&visit) {
        if (tree_.parent >= 0)
            visit(tree_.parent, TAG_UP, TAG_DOWN);
        for (const int child : tree_.children)
            visit(child, TAG_DOWN, TAG_UP);
    };
    neighbours([this](int neighbour, int out, int) { post(FAREWELL, sizeof FAREWELL, neighbour, out); });
    std::vector<char> message;
    neighbours([&](int neighbour, int, int in) {
        Naps naps;
        const auto start = Clock::now();
        do {
            while (!take(message, neighbour, in)) {
                if (seconds(Clock::now() - start) > deadline_)
                    mark_silent(neighbour, silence_text(neighbour, deadline_));
                require_heard();
                naps.take();
            }
        } while (message.size() != sizeof FAREWELL);
    });
    std::vector<MPI_Request> requests;
    std::vector<int> peers;
    for (auto &letter : letters_) {
        requests.push_back(std::exchange(letter->request, MPI_REQUEST_NULL));
        peers.push_back(letter->to);
    }
    wait(requests, peers, deadline_, "the end of messages to it");
}

} // namespace surrogate::mpi
