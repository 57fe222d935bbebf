// A prediction in parts: this rank packs and judges its block, while tiles of the domain are run by whoever holds the
// program.
#include "model.h"

#include "error.h"

#include <algorithm>
#include <cstring>

namespace surrogate::core {

namespace {

// Nothing real comes near this; sizes in bytes stay far from overflow.
constexpr std::int64_t LARGEST_TILES = std::int64_t{1} << 48;

/// Whether a guard of values refuses, not one of sums.
bool of_value(const Offence &offence) {
    return offence.reason != SURROGATE_REASON_NONE && offence.reason <= SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS;
}

bool overlap(const float *a, std::int64_t count, const float *b, std::int64_t length) {
    const auto first = reinterpret_cast<std::uintptr_t>(a), second = reinterpret_cast<std::uintptr_t>(b);
    return first < second + static_cast<std::uintptr_t>(length) * sizeof(float) &&
           second < first + static_cast<std::uintptr_t>(count) * sizeof(float);
}

} // namespace

void Model::begin_parts(float *packed, const surrogate_field *output, const surrogate_field *input, std::size_t count,
                        const surrogate_step_options &step) {
    const Lock lock = claim();
    counted([&] {
        prepare(output, input, count, step, Region::block);
        const State &block = call_.input();
        require_host("predictions in parts");
        if (block.batch != 1)
            fail(SURROGATE_ERROR_UNSUPPORTED, "a batch of ", block.batch,
                 " states given; a prediction in parts is of one state: call it for each");
        const std::int64_t size = std::int64_t{manifest_.history} * manifest_.input_channels * block.cells();
        if (!packed)
            fail(SURROGATE_ERROR_ARGUMENT, "packed is NULL, expected room for ", size, " floats");
        for (const State &frame : call_.frames)
            check_packed(packed, size, frame, Role::input, manifest_);
        check_packed(packed, size, call_.output, Role::output, manifest_);
        call_.in_engine = false;
        const Stopwatch watch(statistics_.pack_seconds);
        begin_tally();
        input_pass_.run_whole(call_.frames, call_.tally, packed);
        ++statistics_.input_copies;
        begun_ = Begun::parts;
    });
}

surrogate_rejection Model::judge_parts(const float *increments, double *partials, std::size_t count) {
    const Lock lock(mutex_);
    if (begun_ != Begun::parts && begun_ != Begun::judged_parts)
        fail(SURROGATE_ERROR_ARGUMENT,
             "no prediction in parts of this model is under way; call surrogate_parts_begin first");
    if (!increments)
        fail(SURROGATE_ERROR_ARGUMENT, "increments is NULL, expected ", manifest_.output_channels, " channels of ",
             call_.input().cells(), " cells");
    check_partials(partials, count, "partials");
    call_.tally.forget_frame();
    look(call_.tally, call_.input(), increments);
    std::memcpy(partials, call_.tally.data(), count * sizeof(double));
    begun_ = Begun::judged_parts;
    const Offence own = own_offence(increments);
    // No totals may accept an input of which a value is refused here: without a program `finish` says so.
    call_.program = of_value(judge_.input(call_.tally).refused) ? nullptr : increments;
    return rejection_of(own);
}

Offence Model::own_offence(const float *increments) const {
    Offence offence = judge_.input(call_.tally).refused;
    if (of_value(offence)) {
        input_pass_.locate(offence, call_.frames);
        return offence;
    }
    offence = judge_.output(call_.tally).refused;
    if (!of_value(offence))
        return Offence();
    output_pass_.locate(offence, call_.input(), increments);
    return offence;
}

void Model::abandon_parts() {
    const Lock lock(mutex_);
    if (begun_ == Begun::halves)
        require_nothing_begun();
    if (begun_ == Begun::nothing)
        return;
    begun_ = Begun::nothing;
    ++statistics_.errors;
}

const float *Model::run_tiles(const float *tiles, std::int64_t batch, const std::int64_t *shape,
                              const std::int64_t *origins, const surrogate_step_options &step) {
    const Lock lock(mutex_);
    if (begun_ == Begun::halves) // whose program may be running
        require_nothing_begun();
    select_program(step);
    if (!tiles || !shape)
        fail(SURROGATE_ERROR_ARGUMENT, tiles ? "shape" : "tiles", " is NULL");
    std::int64_t cells[3];
    check_tiles(shape, cells, batch, origins);
    inputs_.prepare(step, cells, batch, statistics_.allocations);
    const std::int64_t values = batch * cells[0] * cells[1] * cells[2];
    const Stopwatch watch(statistics_.program_seconds);
    const float *found =
        run_checked(inputs_.fill(tiles, cells, batch, {step.member, 0, origins}, statistics_.allocations), step.stream);
    return owned(found, values * manifest_.output_channels, tiles,
                 values * manifest_.history * manifest_.input_channels);
}

/// Fail unless the program takes tiles of `shape`, which goes to `cells` with unused axes 1.
void Model::check_tiles(const std::int64_t *shape, std::int64_t (&cells)[3], std::int64_t batch,
                        const std::int64_t *origins) const {
    const int rank = manifest_.grid.rank;
    std::fill(cells, cells + 3, std::int64_t{1});
    std::copy(shape, shape + rank, cells);
    if (batch < 1)
        fail(SURROGATE_ERROR_ARGUMENT, "batch ", batch, " given, expected the number of tiles, at least 1");
    std::int64_t size = batch;
    const std::int64_t channels = std::int64_t{manifest_.history} * manifest_.input_channels;
    for (int k = 0; k < rank; ++k)
        if (cells[k] < 1 || __builtin_mul_overflow(size, cells[k], &size) || size > LARGEST_TILES / channels)
            fail(SURROGATE_ERROR_SHAPE, batch, " tiles of ", list_text(cells, rank),
                 " given, expected sizes of at least 1 that fit in memory");
    check_grid(manifest_.grid, cells);
    for (std::int64_t k = 0; origins && k < batch * rank; ++k)
        if (origins[k] > INT64_MAX / 2 || origins[k] < -(INT64_MAX / 2))
            fail(SURROGATE_ERROR_ARGUMENT, "origin ", list_text(origins + k / rank * rank, rank), " of tile ", k / rank,
                 " given, expected the global index of its first cell");
}

/// The increments in memory of the model's: a program may return its input, which is the caller's.
const float *Model::owned(const float *increments, std::int64_t size, const float *tiles, std::int64_t read) {
    if (!overlap(increments, size, tiles, read))
        return increments;
    float *staged = staged_.get(size, statistics_.allocations);
    std::memcpy(staged, increments, static_cast<std::size_t>(size) * sizeof(float));
    return staged;
}

} // namespace surrogate::core
