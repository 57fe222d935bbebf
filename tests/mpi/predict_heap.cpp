// mpi_predict_heap BUNDLE MODE: predictions allocate nothing after warm-up; and wherever memory runs out on one rank,
// all ranks return the same, no frame is written, and the next call works.
#include "check.h"
#include "failing_heap.h"

#include "mpi/model.h"

#include <vector>

namespace {

int rank = 0, size = 0;

struct Block {
    std::vector<float> values, frame;
    std::int64_t shape[3];
    surrogate_step_options step;

    /// Rows of a domain of 24 x 40, of rank + turn.
    explicit Block(int turn) {
        const std::int64_t place = (rank + turn) % size, first = 24 * place / size;
        shape[0] = 4;
        shape[1] = 24 * (place + 1) / size - first;
        shape[2] = 40;
        values.resize(static_cast<std::size_t>(4 * shape[1] * 40));
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = static_cast<float>(i % 100);
        frame.assign(values.size(), -1.0f);
        surrogate_step_options_init(&step, sizeof step);
        step.step = 0;
        step.origin[0] = first;
        step.global_shape[0] = 24;
        step.global_shape[1] = 40;
    }
    int predict(surrogate_mpi_model *model) {
        return surrogate_mpi_predict_array(model, frame.data(), values.data(), SURROGATE_FLOAT32, 3, shape, &step);
    }
    bool untouched() const { return frame == std::vector<float>(frame.size(), -1.0f); }
};

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
    Block block(0);
    for (int i = 0; i < 5; ++i)
        CHECK_STATUS(block.predict(model), SURROGATE_OK, "");
    const long before = heap::allocations;
    for (int i = 0; i < 20; ++i)
        CHECK_STATUS(block.predict(model), SURROGATE_OK, "");
    CHECK(heap::allocations == before);
}

/// Messages in many pieces, as if their bytes were beyond what MPI can count.
void pieces_make_up_the_messages(surrogate_mpi_model *model) {
    Block whole(0), pieces(0);
    CHECK_STATUS(whole.predict(model), SURROGATE_OK, "");
    model->communicator.piece = 100;
    CHECK_STATUS(pieces.predict(model), SURROGATE_OK, "");
    model->communicator.piece = surrogate::mpi::Communicator::LARGEST_PIECE;
    CHECK(whole.frame == pieces.frame && !whole.untouched());
}

/// Every allocation of a call in a new decomposition, on the last rank.
void memory_may_run_out_anywhere(surrogate_mpi_model *model) {
    int failed = 1, calls = 0;
    for (long n = 1; failed && n < 2000; ++n, ++calls) {
        Block block(static_cast<int>(n) % size);
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
    CHECK(calls > 10);
    Block block(0);
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
