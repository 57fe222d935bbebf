// What one rank gives to a recorder, checked by itself, and what of it all ranks must give alike.
#pragma once

#include "agreement.h"
#include "grid.h"

#include <vector>

namespace surrogate::mpi {

/// One rank's part of a frame; the fields stay the caller's.
struct Frame {
    double time = 0;
    const surrogate_field *fields = nullptr;
    std::size_t count = 0;
    std::int32_t precision = 0; // options.precision
    Grid grid;                  // of the whole domain: rank and shape
    Box block;                  // of this rank

    /// enum surrogate_dtype that field i is stored in, and the bytes of a cell with all its components.
    int dtype(std::size_t i) const { return precision ? precision : fields[i].dtype; }
    std::size_t cell_bytes(std::size_t i) const;
    /// Field i for the whole domain, without data.
    surrogate_field whole(std::size_t i) const;
};

/// Checks of this rank alone. ERROR_UNSUPPORTED for a batch axis and for memory of a GPU.
Frame read_frame(double time, const surrogate_field *fields, std::size_t count, std::int32_t precision,
                 const std::int64_t *origin, const std::int64_t *global_shape);

/// What must be equal on all ranks.
std::vector<Quantity> quantities_of(const Frame &frame);
std::vector<Quantity> quantities_of(const char *path, const surrogate_recorder_options &options, double deadline);

} // namespace surrogate::mpi
