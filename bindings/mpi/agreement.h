// Agreement: all ranks come to one outcome of a call, and to one sum.
//
// Opinions go up a binomial tree and the verdict comes down. The worst one wins; quantities that must be equal are
// compared on the way; sums are added in the order of the tree, in double, so that all ranks have the same bits.
#pragma once

#include "communicator.h"

#include <surrogate/surrogate_mpi.h>

#include <string>

namespace surrogate::mpi {

/// Something that all ranks must give alike.
struct Quantity {
    enum Kind : std::int32_t { INTEGER, REAL, DIGEST };
    const char *name; ///< for messages; all ranks list the same quantities in the same order
    Kind kind;
    std::uint64_t bits;

    static Quantity integer(const char *name, std::int64_t value);
    static Quantity real(const char *name, double value); ///< compared by bits; -0 is 0, all NaNs are one
    static Quantity digest(const char *name, const void *data, std::size_t bytes);
    static Quantity digest(const char *name, const char *string); ///< NULL is not ""
};

/// What one rank thinks of a call; from `agree`: what all think.
struct Opinion {
    int status = SURROGATE_OK;
    int rank = -1;        ///< that the status is about
    std::string text;     ///< of the status, without the rank; cut at 400 bytes. From `agree`: with the rank
    bool changed = false; ///< from `agree`: whether any rank has changed something
    bool leaves =
        false; ///< no call of this rank follows: if others are in another call, theirs end at once from now on
    surrogate_mpi_rejection offence{
        sizeof(surrogate_mpi_rejection), -1, 0, 0, 0, {0, 0, 0}, 0, 0, 0}; ///< rank -1: none

    const Quantity *quantities = nullptr; ///< borrowed; NULL: this rank's are not compared. NULL from `agree`
    std::size_t quantity_count = 0;

    /// Take over a failure.
    void set(const Failure &failure) {
        status = failure.status();
        text = failure.text();
    }
};

/// Come to one opinion; collective. `call`: the public function and its stage, the same on all ranks.
/// Worst wins: TIMEOUT, then other errors by the lowest rank, then quantities that differ (ERROR_ARGUMENT: which, and
/// what two ranks gave), then REJECTED, then OK. offence: one of the input before one of
/// the frame, as guards judge; then that of the lowest rank.
/// sums[count]: become the totals over all ranks; count is the same everywhere.
/// Throws ERROR_TIMEOUT naming the silent rank, after marking the communicator broken: on all ranks that are heard of,
/// unless the rank fell silent between hearing of the others and telling on: then those below it in the tree time out,
/// and the others get their answer now and ERROR_TIMEOUT from their next call.
Opinion agree(Communicator &communicator, const char *call, const Opinion &mine, double *sums = nullptr,
              std::size_t count = 0);

/// Throw what is an error.
void require(const Opinion &agreed);

/// Run `body` on this rank, then agree: if it failed on any rank, all throw that failure, which names the rank.
template <class Body> Opinion together(Communicator &communicator, const char *call, Opinion mine, Body &&body) {
    try {
        body();
    } catch (...) {
        mine.set(current_failure());
    }
    Opinion agreed = agree(communicator, call, mine);
    require(agreed);
    return agreed;
}
template <class Body> Opinion together(Communicator &communicator, const char *call, Body &&body) {
    return together(communicator, call, Opinion(), std::forward<Body>(body));
}

} // namespace surrogate::mpi
