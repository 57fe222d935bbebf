// AUTO takes tiles where they can be cut and pay, and says why; a mode that is named is taken, or refused with a
// reason.
#include "check.h"
#include "choice.h"
#include "decompositions.h"
#include "failure.h"

using namespace decompositions;

namespace {

/// A periodic domain of 32 x 32 in blocks of 16 x 16, and a model with a halo of 4.
Grid plain() {
    Grid grid;
    grid.rank = 2;
    grid.shape = {1, 32, 32};
    grid.receptive_field = {0, 4, 4};
    grid.stride = grid.multiple_of = grid.minimum_shape = {1, 4, 4};
    grid.periodic = {false, true, true};
    return grid;
}

/// "mode: sentence" of the choice; the status and text of a refusal.
std::string choice(int asked, const Grid &grid, const Index &parts, int tiled = SURROGATE_MPI_TILES,
                   const Index &tile_shape = {}) {
    try {
        const Choice made = choose_mode(asked, tiled, grid, lattice(grid.shape, parts), tile_shape);
        CHECK(made.sentence.find(surrogate_mpi_mode_name(made.mode)) == 0);
        return made.sentence;
    } catch (const Failure &failure) {
        return text(surrogate_status_name(failure.status()), ": ", failure.text());
    }
}

void check_says(const std::string &said, const char *part) {
    if (said.find(part) != std::string::npos)
        return;
    fprintf(stderr, "'%s' does not stand in '%s'\n", part, said.c_str());
    ++failures;
}

void auto_takes_tiles_where_they_can_be_cut() {
    check_says(choice(SURROGATE_MPI_AUTO, plain(), {1, 2, 2}), "tiles: every block is");
    check_says(choice(SURROGATE_MPI_AUTO, plain(), {1, 2, 2}, SURROGATE_MPI_BATCH), "batch: a node has more ranks");
    check_says(choice(SURROGATE_MPI_AUTO, plain(), {1, 1, 1}), "tiles: ");
}

void auto_gathers_where_they_cannot() {
    Grid grid = plain();
    grid.reduces_over_space = true;
    check_says(choice(SURROGATE_MPI_AUTO, grid, {1, 2, 2}, SURROGATE_MPI_BATCH), "gather: every output");
    grid = plain();
    grid.fixed = true;
    check_says(choice(SURROGATE_MPI_AUTO, grid, {1, 2, 2}), "gather: the model takes one shape only");
    check_says(choice(SURROGATE_MPI_AUTO, plain(), {1, 1, 16}), "gather: the block [0:32, 0:2] of rank 0 is smaller");
}

void blocks_that_span_an_axis_have_no_halo_along_it() {
    Grid grid = plain();
    grid.receptive_field = {0, 20, 4};
    check_says(choice(SURROGATE_MPI_AUTO, grid, {1, 1, 2}), "tiles: ");
    check_says(choice(SURROGATE_MPI_AUTO, grid, {1, 2, 1}), "gather: the block [0:16, 0:32] of rank 0");
}

void a_stride_must_divide_periodic_axes_that_are_cut() {
    Grid grid = plain();
    grid.stride = {1, 5, 1};
    check_says(choice(SURROGATE_MPI_AUTO, grid, {1, 2, 1}), "gather: the periodic domain [32, 32] is no multiple");
    check_says(choice(SURROGATE_MPI_AUTO, grid, {1, 1, 2}), "tiles: ");
    check_says(choice(SURROGATE_MPI_AUTO, grid, {1, 1, 2}, SURROGATE_MPI_TILES, {1, 10, 16}), "gather: the periodic");
    grid.periodic[1] = false;
    check_says(choice(SURROGATE_MPI_AUTO, grid, {1, 2, 1}), "tiles: ");
}

void named_modes_are_taken_or_refused() {
    Grid grid = plain();
    for (const int mode : {SURROGATE_MPI_TILES, SURROGATE_MPI_GATHER, SURROGATE_MPI_BATCH})
        check_says(choice(mode, grid, {1, 1, 16}), ": it was named");
    grid.reduces_over_space = true;
    check_says(choice(SURROGATE_MPI_GATHER, grid, {1, 2, 2}), "gather: it was named");
    for (const int mode : {SURROGATE_MPI_TILES, SURROGATE_MPI_BATCH})
        check_says(choice(mode, grid, {1, 2, 2}), "SURROGATE_ERROR_UNSUPPORTED: mode \"");
}

} // namespace

int main() {
    auto_takes_tiles_where_they_can_be_cut();
    auto_gathers_where_they_cannot();
    blocks_that_span_an_axis_have_no_halo_along_it();
    a_stride_must_divide_periodic_axes_that_are_cut();
    named_modes_are_taken_or_refused();
    return finish();
}
