// Agreements of ranks, good and bad; see rank.hpp. Answers are checked by test_agreement.py.
#include "mpi/agreement.h"
#include "mpi/shared_bytes.h"
#include "rank.hpp"

#include <algorithm>
#include <cmath>
#include <fcntl.h>
#include <functional>
#include <map>
#include <sys/resource.h>
#include <sys/time.h>
#include <vector>

using namespace surrogate::mpi;

namespace {

struct Scene {
    Communicator &comm;
    Answers &out;
    int rank, size;
};

void good(Scene &s) {
    for (int call = 0; call < 3; ++call) {
        Opinion mine;
        mine.changed = call == 1 && s.rank == s.size - 1;
        if (call == 2 && s.rank > 0) {
            mine.offence.rank = s.rank;
            mine.offence.value = 10 + s.rank;
        }
        // Of a sum whose rounding depends on the order.
        double sums[3] = {1.0 / (1 + s.rank), s.rank ? 1e-16 : 1.0, static_cast<double>(s.rank)};
        s.out.attempt([&] {
            const Opinion agreed = agree(s.comm, "good", mine, sums, 3);
            char bits[128];
            std::snprintf(bits, sizeof bits, "%a %a %a", sums[0], sums[1], sums[2]);
            return text(agreed.status, " changed ", agreed.changed ? 1 : 0, " offence ", agreed.offence.rank, " ",
                        agreed.offence.value, " sums ", static_cast<const char *>(bits));
        });
    }
}

void opinion(Scene &s, const std::function<void(Opinion &)> &form, const char *call = "call") {
    Opinion mine;
    form(mine);
    double sum = 1;
    s.out.attempt([&] {
        const Opinion agreed = agree(s.comm, call, mine, &sum, 1);
        require(agreed);
        return text(agreed.status, " rank ", agreed.rank, " ", agreed.text);
    });
}

void errors(Scene &s) {
    const int last = s.size - 1;
    opinion(s, [&](Opinion &mine) { // one rank fails
        if (s.rank == last)
            mine.set(Failure(SURROGATE_ERROR_SHAPE, "no such shape"));
    });
    opinion(s, [&](Opinion &mine) { // all fail: the lowest is named
        mine.set(Failure(SURROGATE_ERROR_DTYPE, text("I am ", s.rank)));
    });
    opinion(s, [&](Opinion &mine) { // REJECTED is less than an error, and more than OK
        mine.status = s.rank == 0 ? SURROGATE_REJECTED : SURROGATE_OK;
    });
    opinion(s, [&](Opinion &mine) {
        mine.status = SURROGATE_REJECTED;
        if (s.rank == last)
            mine.set(Failure(SURROGATE_ERROR_MEMORY, std::string(1000, 'x')));
    });
    opinion(s, [](Opinion &) {}); // and the communicator still works
}

void quantities(Scene &s) {
    const int last = s.size - 1;
    const auto give = [&](std::int64_t step, double tolerance, const char *name) {
        const Quantity given[] = {Quantity::integer("step", step), Quantity::real("tolerance", tolerance),
                                  Quantity::digest("fields", name)};
        opinion(s, [&](Opinion &mine) {
            mine.quantities = given;
            mine.quantity_count = 3;
        });
    };
    give(3, 0.5, "rho");
    give(s.rank == last ? 4 : 3, 0.5, "rho");
    give(3, s.rank == 0 ? 0.25 : 0.5, "rho");
    give(3, 0.5, s.rank == last ? "p" : "rho");
    give(3, s.rank == 0 ? -0.0 : 0.0, "rho");
    give(3, s.rank == 0 ? NAN : -NAN, "rho");
    const Quantity only = Quantity::integer("step", 3);
    opinion(s, [&](Opinion &mine) { // ranks without quantities are not compared
        if (s.rank == last) {
            mine.quantities = &only;
            mine.quantity_count = 1;
        }
    });
    opinion(
        s, [](Opinion &) {}, s.rank == last ? "surrogate_mpi_close" : "surrogate_mpi_predict");
}

void copies(Scene &s) {
    s.comm.piece = 1000; // bytes, so that there are many messages
    for (int root = 0; root < s.size; ++root) {
        std::vector<char> bytes;
        if (s.rank == root)
            for (int i = 0; i < 10'000'000; ++i)
                bytes.push_back(static_cast<char>(i * 7 + root));
        s.comm.piece = root ? Communicator::LARGEST_PIECE : 100'000;
        const std::vector<char> got = broadcast(s.comm, bytes, root);
        bool same = got.size() == 10'000'000;
        for (std::size_t i = 0; same && i < got.size(); ++i)
            same = got[i] == static_cast<char>(static_cast<int>(i) * 7 + root);
        s.out.add(same ? "same" : "different");
    }
    s.out.add(broadcast(s.comm, {}, 0).empty() ? "same" : "different");
    const auto records = gather_records(s.comm, all_ranks(s.comm), std::int64_t{100} + s.rank);
    bool same = records.size() == static_cast<std::size_t>(s.size);
    for (int i = 0; same && i < s.size; ++i)
        same = records[static_cast<std::size_t>(i)] == 100 + i;
    s.out.add(same ? "same" : "different");
}

/// One copy for all, or one each where memory cannot be shared.
void share_bytes(Scene &s, bool limited) {
    constexpr std::size_t SIZE = 3'000'001;
    if (limited) { // the size of files, of which shared memory is one
        rlimit none{0, RLIM_INFINITY};
        setrlimit(RLIMIT_FSIZE, &none);
    }
    std::vector<int> crew = all_ranks(s.comm);
    std::rotate(crew.begin(), crew.begin() + s.size - 1, crew.end());
    Kept<SharedBytes> bytes(s.comm);
    const bool holds = s.rank == crew.front();
    if (holds) {
        bytes->allocate(SIZE);
        for (std::size_t i = 0; i < SIZE; ++i)
            bytes->data()[i] = static_cast<char>(i % 251);
    }
    const int copies = share(s.comm, crew, *bytes);
    bool same = bytes->size() == SIZE;
    for (std::size_t i = 0; same && i < SIZE; ++i)
        same = bytes->data()[i] == static_cast<char>(i % 251);
    opinion(s, [](Opinion &) {});
    if (holds)
        bytes->data()[7] = 'x';
    opinion(s, [](Opinion &) {});
    rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &all);
    s.out.add(copies, same ? " same" : " different", bytes->data()[7] == 'x' ? " one" : " own");
}

/// Compute for most of a deadline on every second rank, several times: nobody is silent.
void slow(Scene &s) {
    for (int i = 0; i < 4; ++i) {
        if (s.rank % 2 == i % 2)
            ::usleep(static_cast<useconds_t>(0.7e6 * s.comm.deadline()));
        opinion(s, [](Opinion &) {});
    }
}

/// `who` falls silent after `before` agreements; the others go on until they are told.
void silent(Scene &s, int who, int before) {
    for (int i = 0; i < before; ++i)
        opinion(s, [](Opinion &) {});
    const double start = now();
    if (s.rank == who)
        stop();
    opinion(s, [](Opinion &) {});
    s.out.add(now() - start);
    opinion(s, [](Opinion &) {});
    s.comm.release();
    s.out.add(now() - start);
}

int stopped_at = -1; // descriptor of the file that tells when

void stop_now(int) {
    const double time = now();
    if (::write(stopped_at, &time, sizeof time) == sizeof time)
        stop();
}

/// Agreements one after another, while `who` falls silent somewhere in one of them.
void anywhere(Scene &s, int who, int microseconds) {
    for (int i = 0; i < 100; ++i)
        agree(s.comm, "call", Opinion());
    if (s.rank == who) {
        stopped_at = ::open((s.out.path + ".stopped").c_str(), O_WRONLY | O_CREAT, 0600);
        std::signal(SIGALRM, stop_now);
        const itimerval timer{{0, 0}, {0, microseconds}};
        setitimer(ITIMER_REAL, &timer, nullptr);
    }
    s.out.attempt([&]() -> std::string {
        for (;;)
            agree(s.comm, "call", Opinion());
    });
    s.out.add(text(now()));
}

/// A ring of exchanges in which everybody waits for the next rank, after the last rank fell silent; then an agreement.
void exchange(Scene &s) {
    const double start = now();
    if (s.rank == s.size - 1)
        stop();
    Kept<std::vector<char>> in(s.comm), out(s.comm);
    in->resize(1 << 20);
    out->resize(1 << 20);
    Opinion mine;
    try {
        std::vector<MPI_Request> requests;
        std::vector<int> peers;
        s.comm.receive(requests, peers, in->data(), in->size(), (s.rank + 1) % s.size, TAG_TRANSFER);
        s.comm.wait(requests, peers, s.comm.deadline(), "its halo");
    } catch (const Failure &failure) {
        mine.set(failure);
    }
    opinion(s, [&](Opinion &o) { o = mine; });
    s.out.add(now() - start);
}

const std::map<std::string, std::function<void(Scene &)>> SCENES = {
    {"good", good},
    {"errors", errors},
    {"quantities", quantities},
    {"copies", copies},
    {"share", [](Scene &s) { share_bytes(s, false); }},
    {"share_limited", [](Scene &s) { share_bytes(s, true); }},
    {"slow", slow},
    {"silent_root", [](Scene &s) { silent(s, 0, 0); }},
    {"silent_last", [](Scene &s) { silent(s, s.size - 1, 0); }},
    {"silent_inner", [](Scene &s) { silent(s, s.size / 2, 2); }},
    {"silent_exchange", exchange},
    {"silent_anywhere", [](Scene &s) { anywhere(s, s.size - 3, std::atoi(std::getenv("MICROSECONDS"))); }},
};

} // namespace

int main(int argc, char **argv) {
    if (argc < 4)
        return 2;
    const std::string name = argv[1];
    MPI_Init(&argc, &argv);
    int rank = 0, size = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    const bool alive = name.rfind("silent", 0) != 0;
    {
        Answers out(argv[2], rank);
        const double start = now();
        if (name == "silent_open" && rank == size - 1)
            stop();
        try {
            Communicator comm(MPI_COMM_WORLD, std::stod(argv[3]));
            Scene scene{comm, out, rank, size};
            SCENES.at(name)(scene);
            comm.release();
        } catch (const Failure &failure) {
            out.add(surrogate_status_name(failure.status()), "|", failure.text());
            out.add(now() - start);
        }
    }
    return leave(alive);
}
