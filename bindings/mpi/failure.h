// Failures inside libsurrogate_mpi are exceptions; at the boundary one guard turns them into a status and a text.
#pragma once

#include "core/error.h"

#include <mpi.h>

namespace surrogate::mpi {

using core::fail; ///< fail(status, parts...): throw a Failure whose text is all parts in a row
using core::text;

/// status() and text(), which says what was given, what was expected, what to do.
using Failure = core::Error;

/// Turn a status of libsurrogate that is an error into a Failure with its text; hand on OK and REJECTED.
int check(int status);

/// ERROR_MPI unless `rc` is MPI_SUCCESS. what: the function of MPI.
void check_mpi(int rc, const char *what);

/// The failure that is being handled, whatever its type; for catch (...) blocks.
Failure current_failure();

/// Set the last error's text to that of the failure that is being handled, as of `where`; its status.
int report_failure(const char *where) noexcept;

/// Run `body`, which returns a status, as the public function `where`: no exception gets out. The floating-point
/// environment stays the caller's, as engines hand it to their workers: whoever adds numbers here holds it himself.
template <class Body> int guarded(const char *where, Body &&body) noexcept {
    try {
        return body();
    } catch (...) {
        return report_failure(where);
    }
}

} // namespace surrogate::mpi
