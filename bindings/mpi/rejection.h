// What a rejection was about, the same on all ranks.
#pragma once

#include "grid.h"

#include <surrogate/surrogate_mpi.h>

#include <string>

namespace surrogate::mpi {

/// What `rank` found in its own block that begins at `origin`; `found`: its cell counts from there.
surrogate_mpi_rejection rejection_on(int rank, const Index &origin, int spatial_rank, const surrogate_rejection &found);

/// What broke a guard of sums, or, if `offence` has a rank, of values: chosen by `decided`, the local verdict by
/// totals.
surrogate_mpi_rejection agreed_rejection(const surrogate_mpi_rejection &offence, const surrogate_rejection &decided);

/// A sentence about a value that a rank holds.
std::string rejection_text(surrogate_model *local, const surrogate_mpi_rejection &rejection, int spatial_rank);

} // namespace surrogate::mpi
