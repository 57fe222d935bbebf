#include "rejection.h"

#include "failure.h"

#include <cmath>

namespace surrogate::mpi {

surrogate_mpi_rejection rejection_on(int rank, const Index &origin, int spatial_rank,
                                     const surrogate_rejection &found) {
    surrogate_mpi_rejection rejection{sizeof(surrogate_mpi_rejection),
                                      rank,
                                      found.reason,
                                      found.field,
                                      found.component,
                                      {},
                                      found.value,
                                      found.lower,
                                      found.upper};
    std::int64_t first[3];
    to_c(first, origin, spatial_rank);
    for (int k = 0; k < spatial_rank; ++k)
        rejection.cell[k] = first[k] + found.cell[k];
    return rejection;
}

surrogate_mpi_rejection agreed_rejection(const surrogate_mpi_rejection &offence, const surrogate_rejection &decided) {
    if (offence.rank >= 0 && decided.reason <= SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS)
        return offence;
    return {sizeof(surrogate_mpi_rejection),
            -1,
            decided.reason,
            decided.field,
            decided.component,
            {0, 0, 0},
            decided.value,
            decided.lower,
            decided.upper};
}

std::string rejection_text(surrogate_model *local, const surrogate_mpi_rejection &rejection, int spatial_rank) {
    surrogate_field_info field{};
    field.struct_size = sizeof field;
    check(surrogate_get_field_info(local, rejection.field, &field));
    const bool of_input = rejection.reason == SURROGATE_REASON_INPUT_NOT_FINITE ||
                          rejection.reason == SURROGATE_REASON_INPUT_OUT_OF_BOUNDS;
    const bool finite =
        rejection.reason == SURROGATE_REASON_INPUT_NOT_FINITE || rejection.reason == SURROGATE_REASON_OUTPUT_NOT_FINITE;
    return text("rejected: rank ", rejection.rank, ": ", of_input ? "input" : "predicted", " field '", field.name, "' ",
                finite ? "is not finite" : "is out of bounds", " at cell ",
                index_text(from_c(rejection.cell, spatial_rank, 0), spatial_rank), " of the domain",
                field.components > 1 ? text(" of component ", rejection.component) : "", " (value ", rejection.value,
                finite ? "" : text(", bounds ", rejection.lower, " to ", rejection.upper),
                "); the output is untouched on all ranks, let the solver step this interval itself");
}

} // namespace surrogate::mpi
