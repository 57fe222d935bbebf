#include "recorder.h"

#include "blocks.h"

#include "core/versioned.h"
#include "given_communicator.h"
#include "patience.h"

#include <atomic>
#include <csignal>
#include <cstring>
#include <exception>
#include <optional>
#include <pthread.h>
#include <thread>
#include <utility>

namespace surrogate::mpi {

namespace {

surrogate_recorder_options read_options(const surrogate_recorder_options *given) {
    surrogate_recorder_options options;
    surrogate_recorder_options_init(&options, sizeof options);
    return given ? core::read_versioned(given, options, "options", "call surrogate_recorder_options_init first")
                 : options;
}

/// A call of libsurrogate on a thread of its own, while this one does something else; its signals stay the host's.
class Aside {
  public:
    template <class Call> explicit Aside(Call call) {
        sigset_t all, host;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &host);
        try {
            thread_ = std::thread([this, call]() noexcept { run(call); });
        } catch (const std::exception &) { // no thread to be had, or no memory for one
            run(call);
        }
        pthread_sigmask(SIG_SETMASK, &host, nullptr);
    }
    ~Aside() {
        if (thread_.joinable())
            thread_.join();
    }
    Aside(const Aside &) = delete;
    Aside &operator=(const Aside &) = delete;

    bool done() const { return done_; }
    /// After done: throws what the call failed with.
    void check() const {
        if (status_ < 0)
            fail(status_, static_cast<const char *>(text_));
    }

  private:
    template <class Call> void run(Call call) noexcept {
        status_ = call();
        if (status_ < 0)
            std::strncpy(text_, surrogate_last_error(), sizeof text_ - 1); // of the thread that made the call
        done_ = true;
    }

    std::thread thread_;
    int status_ = SURROGATE_OK;
    char text_[2048] = "";
    std::atomic<bool> done_{false};
};

} // namespace

Recorder::Recorder(MPI_Comm comm, double deadline) : communicator_(comm, deadline), transfer_(communicator_) {}

Recorder::~Recorder() {
    surrogate_recorder_close(serial_);
    communicator_.release();
}

void Recorder::open(const char *path, const surrogate_recorder_options *given) {
    const char *const call = "surrogate_mpi_recorder_open";
    Opinion mine;
    std::vector<Quantity> quantities;
    surrogate_recorder_options options{};
    try {
        options = read_options(given);
        quantities = quantities_of(path, options, communicator_.deadline());
        mine.quantities = quantities.data();
        mine.quantity_count = quantities.size();
    } catch (...) {
        mine.set(current_failure());
    }
    require(agree(communicator_, call, mine));
    precision_ = options.precision;
    together(communicator_, call, [&] {
        nodes_ = find_nodes(communicator_);
        if (communicator_.rank() == 0)
            check(surrogate_recorder_open(&serial_, path, &options));
    });
}

void Recorder::write(double time, const surrogate_field *fields, std::size_t count, const std::int64_t *origin,
                     const std::int64_t *global_shape) {
    communicator_.require_heard();
    if (alone() && !origin && !global_shape) {
        check(surrogate_recorder_write(serial_, time, fields, count));
        return;
    }
    Frame frame;
    agree_on(frame, time, fields, count, origin, global_shape);
    if (alone())
        check(surrogate_recorder_write(serial_, time, fields, count));
    else
        store(frame);
}

/// Every rank checks its own part, and all see that the parts are of one frame.
void Recorder::agree_on(Frame &frame, double time, const surrogate_field *fields, std::size_t count,
                        const std::int64_t *origin, const std::int64_t *global_shape) {
    Opinion mine;
    std::vector<Quantity> quantities;
    try {
        frame = read_frame(time, fields, count, precision_, origin, global_shape);
        quantities = quantities_of(frame);
        mine.quantities = quantities.data();
        mine.quantity_count = quantities.size();
        const auto rank = static_cast<std::size_t>(communicator_.rank());
        mine.changed = blocks_.empty() || frame.block != blocks_[rank] || frame.grid.shape != grid_.shape ||
                       frame.grid.rank != grid_.rank;
    } catch (...) {
        mine.set(current_failure());
    }
    const Opinion agreed = agree(communicator_, "surrogate_mpi_recorder_write: arguments", mine);
    require(agreed);
    if (agreed.changed)
        together(communicator_, "surrogate_mpi_recorder_write: blocks", [&] { learn_blocks(frame); });
}

void Recorder::learn_blocks(const Frame &frame) {
    std::vector<Box> blocks = gather_records(communicator_, all_ranks(communicator_), frame.block);
    check_blocks(frame.grid, blocks);
    grid_ = frame.grid;
    blocks_ = std::move(blocks);
}

/// On rank 0: lay the frame's file out, and what the others must know of it: where its fields begin, and its path.
std::vector<char> Recorder::lay_out(const Frame &frame) {
    std::vector<surrogate_field> fields;
    for (std::size_t i = 0; i < frame.count; ++i)
        fields.push_back(frame.whole(i));
    const char *path = nullptr;
    std::vector<std::uint64_t> offsets(frame.count);
    check(surrogate_recorder_lay_out(serial_, &path, offsets.data(), frame.time, fields.data(), fields.size()));
    const auto *first = reinterpret_cast<const char *>(offsets.data());
    std::vector<char> message(first, first + offsets.size() * sizeof(std::uint64_t));
    message.insert(message.end(), path, path + std::strlen(path));
    return message;
}

/// The file that rank 0 laid out. If it could not, the others get an empty message, and hear of it when all agree.
FrameFile Recorder::learn_file(const Frame &frame) {
    std::vector<char> message;
    std::exception_ptr failed;
    if (communicator_.rank() == 0) {
        try {
            message = lay_out(frame);
        } catch (...) {
            failed = std::current_exception();
        }
    }
    message = broadcast(communicator_, std::move(message), 0);
    if (failed)
        std::rethrow_exception(failed);
    std::vector<std::uint64_t> offsets(frame.count);
    const auto head =
        message.begin() + static_cast<std::ptrdiff_t>(std::min(message.size(), frame.count * sizeof(std::uint64_t)));
    std::copy(message.begin(), head, reinterpret_cast<char *>(offsets.data()));
    return FrameFile(std::string(head, message.end()), std::move(offsets));
}

void Recorder::store(const Frame &frame) {
    std::optional<FrameFile> file;
    try {
        together(communicator_, "surrogate_mpi_recorder_write: layout", [&] {
            file.emplace(learn_file(frame));
            transfer_.prepare(frame, nodes_, blocks_);
        });
        together(communicator_, "surrogate_mpi_recorder_write: values",
                 [&] { transfer_.run(communicator_, frame, nodes_, blocks_, *file); });
        together(communicator_, "surrogate_mpi_recorder_write: name", [&] {
            if (serial_)
                check(surrogate_recorder_settle(serial_, 1));
        });
    } catch (...) {
        if (serial_)
            surrogate_recorder_settle(serial_, 0); // in vain if the frame is settled or was never laid out
        throw;
    }
}

void Recorder::close() {
    check_running();
    surrogate_recorder *const serial = std::exchange(serial_, nullptr);
    if (alone() || communicator_.broken()) { // nobody waits for this rank
        const int status = surrogate_recorder_close(serial);
        communicator_.require_heard();
        check(status);
        return;
    }
    Opinion leaving;
    leaving.leaves = true;
    together(communicator_, "surrogate_mpi_recorder_close", leaving, [&] {
        if (!serial)
            return;
        const Aside joining([serial] { return surrogate_recorder_close(serial); });
        for (Patience patience(communicator_); !joining.done();)
            patience.pause(); // joining may take longer than the deadline: the others hear that it goes on
        joining.check();
    });
}

} // namespace surrogate::mpi
