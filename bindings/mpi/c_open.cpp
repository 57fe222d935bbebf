// The public functions of section 2: open and close.
#include "core/versioned.h"
#include "given_communicator.h"
#include "opening.h"
#include "prediction.h"

#include <algorithm>
#include <cmath>

using namespace surrogate::mpi;

namespace {

surrogate_mpi_options defaults() {
    surrogate_mpi_options options{};
    options.struct_size = sizeof options;
    options.deadline = PRESET_DEADLINE;
    return options;
}

bool is_deadline(double seconds) {
    return std::isfinite(seconds) && seconds > 0;
}

surrogate_mpi_options read_options(const surrogate_mpi_options *given) {
    surrogate_mpi_options options = defaults();
    if (given)
        options = surrogate::core::read_versioned(given, options, "options", "call surrogate_mpi_options_init first");
    if (options.mode < SURROGATE_MPI_AUTO || options.mode > SURROGATE_MPI_BATCH)
        fail(SURROGATE_ERROR_ARGUMENT, "options.mode ", options.mode,
             " given, expected SURROGATE_MPI_AUTO (0), _TILES (1), _GATHER (2) or _BATCH (3)");
    if (options.leaders < 0)
        fail(SURROGATE_ERROR_ARGUMENT, "options.leaders ", options.leaders, " given, expected 0 (the default) or more");
    if (!is_deadline(options.deadline))
        fail(SURROGATE_ERROR_ARGUMENT, "options.deadline ", options.deadline,
             " given, expected a number of seconds above 0");
    for (const std::int64_t size : options.tile_shape)
        if (size < 0)
            fail(SURROGATE_ERROR_ARGUMENT, "options.tile_shape ", surrogate::core::list_text(options.tile_shape, 3),
                 " given, expected sizes of 0 (the default) or more");
    return options;
}

/// What one rank gave, or why that cannot be.
struct Given {
    surrogate_mpi_options options = defaults();
    std::optional<Wish> wish;
    Opinion opinion;

    Given(surrogate_mpi_model **model, const char *path, const surrogate_open_options *open,
          const surrogate_mpi_options *given) {
        try {
            if (!model)
                fail(SURROGATE_ERROR_ARGUMENT, "model is NULL, expected the address of a surrogate_mpi_model pointer");
            options = read_options(given);
            wish.emplace(path, open);
        } catch (...) {
            opinion.set(current_failure());
        }
    }
};

/// The check-in of all ranks, with what must be equal.
void check_in(Communicator &communicator, const Given &given) {
    const surrogate_mpi_options &options = given.options;
    const Quantity quantities[] = {
        Quantity::integer("options.mode", options.mode),
        Quantity::integer("options.leaders", options.leaders),
        Quantity::integer("options.reader", options.reader),
        Quantity::real("options.deadline", options.deadline),
        Quantity::integer("options.tile_shape[0]", options.tile_shape[0]),
        Quantity::integer("options.tile_shape[1]", options.tile_shape[1]),
        Quantity::integer("options.tile_shape[2]", options.tile_shape[2]),
    };
    Opinion mine = given.opinion;
    mine.quantities = mine.status == SURROGATE_OK ? quantities : nullptr;
    mine.quantity_count = std::size(quantities);
    const int size = communicator.size();
    together(communicator, "surrogate_mpi_open: check-in", mine, [&] {
        if (mine.status != SURROGATE_OK)
            return;
        if (options.reader < 0 || options.reader >= size)
            fail(SURROGATE_ERROR_ARGUMENT, "options.reader ", options.reader, " given, expected a rank from 0 to ",
                 size - 1);
        if (size > 1 && given.wish->records_calls())
            fail(SURROGATE_ERROR_UNSUPPORTED, "open.record_calls given on ", size,
                 " ranks, but a call is recorded whole, on one rank only; use surrogate_mpi_recorder");
    });
}

/// What options.tile_shape must be is known once the bundle is.
void check_tile_shape(const Model &model) {
    const auto &sizes = model.options.tile_shape;
    const int axes = model.info.spatial_rank;
    const auto given = std::count_if(sizes, sizes + axes, [](std::int64_t size) { return size > 0; });
    if (given != 0 && given != axes)
        fail(SURROGATE_ERROR_ARGUMENT, "options.tile_shape ", surrogate::core::list_text(sizes, axes),
             " given, expected cells along every spatial axis of the model, or 0 along all of them");
}

} // namespace

extern "C" {

void surrogate_mpi_options_init(surrogate_mpi_options *options, size_t size) {
    surrogate::core::init_versioned(options, size, defaults());
}

int surrogate_mpi_open(surrogate_mpi_model **model, MPI_Comm comm, const char *path, const surrogate_open_options *open,
                       const surrogate_mpi_options *options) {
    if (model)
        *model = nullptr;
    return guarded("surrogate_mpi_open", [&] {
        Given given(model, path, open, options);
        auto handle = std::make_unique<surrogate_mpi_model>(comm, given.options.deadline);
        try {
            check_in(handle->communicator, given);
            handle->options = given.options;
            Opening(*handle, *given.wish).open();
            together(handle->communicator, "surrogate_mpi_open", [&] {
                check_tile_shape(*handle);
                handle->prediction = std::make_unique<Prediction>(*handle);
                keep_handle(handle.get());
            });
            handle->prediction->rehearse();
        } catch (...) { // on all ranks
            handle->communicator.release();
            throw;
        }
        *model = handle.release();
        return SURROGATE_OK;
    });
}

int surrogate_mpi_close(surrogate_mpi_model *model) {
    if (!model)
        return SURROGATE_OK;
    return guarded("surrogate_mpi_close", [&] {
        const std::unique_ptr<surrogate_mpi_model> closing = take_handle(model);
        check_running();
        if (!closing->communicator.broken()) {
            Opinion leaving;
            leaving.leaves = true;
            require(agree(closing->communicator, "surrogate_mpi_close", leaving));
            closing->communicator.release();
        }
        return SURROGATE_OK;
    });
}

surrogate_model *surrogate_mpi_local(surrogate_mpi_model *model) {
    surrogate_model *local = nullptr;
    guarded("surrogate_mpi_local", [&] {
        local = opened(model).local;
        return SURROGATE_OK;
    });
    return local;
}

} // extern "C"
