// mpi_predict_heap BUNDLE MODE: predictions allocate nothing after warm-up; and wherever memory runs out on one rank,
// all ranks return the same, no frame is written, and the next call works.
#include "block.hpp"
#include "check.h"
#include "failing_heap.h"

#include "mpi/model.h"

namespace {

int rank = 0, size = 0;

surrogate_mpi_model *open_model(const char *path, int mode) {
    surrogate_mpi_options options;
    surrogate_mpi_options_init(&options, sizeof options);
    options.mode = mode;
    options.deadline = 20;
    surrogate_mpi_model *model = nullptr;
    if (!CHECK_STATUS(surrogate_mpi_open(&model, MPI_COMM_WORLD, path, nullptr, &options), SURROGATE_OK, ""))
        std::exit(1);
    return model;
}

/// Text is not compared: a rank that has no memory for its own says less.
void check_same(int status) {
    int root = status;
    MPI_Bcast(&root, 1, MPI_INT, 0, MPI_COMM_WORLD);
    CHECK(status == root);
}

void nothing_is_allocated_after_warm_up(surrogate_mpi_model *model) {
    Block block(rank, size);
    for (int i = 0; i < 5; ++i)
        CHECK_STATUS(block.predict(model), SURROGATE_OK, "");
    const long before = heap::allocations;
    for (int i = 0; i < 20; ++i)
        CHECK_STATUS(block.predict(model), SURROGATE_OK, "");
    CHECK(heap::allocations == before);
}

/// Messages in many pieces, as if their bytes were beyond what MPI can count.
void pieces_make_up_the_messages(surrogate_mpi_model *model) {
    Block whole(rank, size), pieces(rank, size);
    CHECK_STATUS(whole.predict(model), SURROGATE_OK, "");
    model->communicator.piece = 100;
    CHECK_STATUS(pieces.predict(model), SURROGATE_OK, "");
    model->communicator.piece = surrogate::mpi::Communicator::LARGEST_PIECE;
    CHECK(whole.frame == pieces.frame && !whole.untouched());
}

/// Every allocation of some size of a call in a new decomposition, on the last rank: of values, tiles, messages. Memory
/// for the few bytes of an agreement must be there: without it a rank cannot tell the others.
void memory_may_run_out_anywhere(surrogate_mpi_model *model) {
    int failed = 1, calls = 0;
    heap::smallest = 1024;
    for (long n = 1; failed && n < 2000; ++n, ++calls) {
        Block block((rank + static_cast<int>(n)) % size, size);
        if (rank == size - 1)
            heap::fail_at(n, false);
        const int status = block.predict(model);
        failed = heap::recover();
        MPI_Bcast(&failed, 1, MPI_INT, size - 1, MPI_COMM_WORLD);
        check_same(status);
        CHECK(status == SURROGATE_OK || status == SURROGATE_ERROR_MEMORY);
        CHECK((status == SURROGATE_OK) == !block.untouched());
        if (failures)
            break;
    }
    CHECK(calls >= 3);
    Block block(rank, size);
    CHECK_STATUS(block.predict(model), SURROGATE_OK, "");
    if (rank == 0)
        std::printf("%d allocations failed\n", calls);
}

} // namespace

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (argc < 3)
        return 2;
    surrogate_mpi_model *model = open_model(argv[1], std::atoi(argv[2]));
    memory_may_run_out_anywhere(model);
    nothing_is_allocated_after_warm_up(model);
    pieces_make_up_the_messages(model);
    CHECK_STATUS(surrogate_mpi_close(model), SURROGATE_OK, "");
    MPI_Finalize();
    return finish();
}
