#include "alone.h"

#include "blocks.h"
#include "failure.h"

#include <cstddef>

namespace surrogate::mpi {

void check_covers(const surrogate_info &info, const surrogate_step_options *step, const Index &shape) {
    if (!step || step->struct_size < offsetof(surrogate_step_options, stream) || shape[2] < 1)
        return; // the rest is for the serial call to judge
    const Index domain = from_c(step->global_shape, info.spatial_rank, 1),
                origin = from_c(step->origin, info.spatial_rank, 0);
    if (domain == shape && origin == Index{})
        return;
    if (std::all_of(step->global_shape, step->global_shape + info.spatial_rank, [](auto size) { return size == 0; }))
        return;
    Box block{origin, {}};
    for (std::size_t k = 0; k < 3; ++k)
        if (__builtin_add_overflow(origin[k], shape[k], &block.upper[k]))
            block.upper[k] = origin[k]; // no box of cells, which is what it is told to be
    check_blocks(make_grid(info, step->global_shape), {block});
}

SerialTimes::SerialTimes(surrogate_model *local) : local_(local), before_(read()) {}

surrogate_statistics SerialTimes::read() const {
    surrogate_statistics statistics{};
    statistics.struct_size = sizeof statistics;
    check(surrogate_get_statistics(local_, &statistics));
    return statistics;
}

Account SerialTimes::since() const {
    const surrogate_statistics now = read();
    Account account;
    account.pack = now.pack_seconds - before_.pack_seconds;
    account.program = now.program_seconds - before_.program_seconds;
    account.output = now.output_seconds - before_.output_seconds;
    return account;
}

} // namespace surrogate::mpi
