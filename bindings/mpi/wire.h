// Opinions on their way between ranks, and how two become one.
#pragma once

#include "agreement.h"

namespace surrogate::mpi {

/// How sure it is that a rank is silent: a rank that a wait of an exchange ran out on may itself have waited for
/// another; one that does not even join the agreement is silent.
enum Evidence : std::int32_t { NO_EVIDENCE, WAITED_FOR, ABSENT };

/// An opinion on its way, followed by the bits of the quantities, and by the sums.
struct Wire {
    std::uint64_t call;
    std::int32_t call_rank;       // that gave `call`
    std::int32_t other_call_rank; // that gave another; -1: none
    std::int32_t status, rank;
    std::int32_t evidence, suspect;
    std::int32_t changed;
    std::int32_t leaver;                                       // lowest rank that calls no more after this; -1: none
    std::int32_t quantity_count, quantity_rank;                // of the bits that follow
    std::int32_t differing, differing_first, differing_second; // index of a quantity and two ranks; -1: none
    std::uint64_t differing_bits[2];
    std::uint64_t sum_count;
    surrogate_mpi_rejection offence;
    char text[401]; // ends with NUL
};

struct Message {
    Wire wire;
    const char *rest;
};

/// The opinion of this rank.
Wire wire_of(const Communicator &communicator, const char *call, const Opinion &mine, std::size_t count);

/// Note that a rank is silent, unless more is known of another.
void suspect(Wire &wire, Evidence evidence, int rank);

/// Write an opinion with what follows it to `out`.
void pack(std::vector<char> &out, const Wire &wire, const std::vector<std::uint64_t> &bits, const double *sums,
          std::size_t count);
Message unpack(const std::vector<char> &bytes);
/// Whether a message is an opinion, and not a word of life.
bool is_opinion(const std::vector<char> &message);

/// Make one of two: `into`, of lower ranks, with its `bits` and `sums`, and a child's.
void merge(Wire &into, std::vector<std::uint64_t> &bits, double *sums, const Message &message);

/// What all think, in words.
Opinion verdict(const Communicator &communicator, const char *call, const Wire &wire, const Opinion &mine);

} // namespace surrogate::mpi
