// The flow is the same on all ranks, whatever fails on one: check-in, exchange, program, exchange, agreement. A rank
// that has failed still sends what others wait for, and all learn of it in the agreement that follows.
#include "prediction.h"

#include "alone.h"
#include "blocks.h"
#include "choice.h"
#include "core/stopwatch.h"
#include "model.h"

#include <cstring>
#include <optional>

namespace surrogate::mpi {

using core::Stopwatch;

namespace {

Channels channels_of(surrogate_model *local, const surrogate_info &info) {
    Channels channels{std::int64_t{info.history} * info.channel_count, 0};
    for (int k = 0; k < info.field_count; ++k) {
        surrogate_field_info field{};
        field.struct_size = sizeof field;
        check(surrogate_get_field_info(local, k, &field));
        channels.predicted += field.predicted ? field.components : 0;
    }
    return channels;
}

/// Ends what surrogate_parts_begin began, if it was not finished.
class Ending {
  public:
    explicit Ending(surrogate_model *local) : local_(local) {}
    ~Ending() { surrogate_parts_abandon(local_); }
    Ending(const Ending &) = delete;
    Ending &operator=(const Ending &) = delete;

  private:
    surrogate_model *local_;
};

/// A text of libsurrogate without the function that it names first.
std::string without_place(const std::string &text) {
    const auto end = text.find(": ");
    return end == std::string::npos ? text : text.substr(end + 2);
}

/// Whether `body` came to its end; else `mine` has its failure, unless it has one.
template <class Body> bool attempt(Opinion &mine, Body body) {
    try {
        body();
        return true;
    } catch (...) {
        if (mine.status != SURROGATE_OK)
            return false;
        mine.status = SURROGATE_ERROR_MEMORY; // and no text, where there is no memory even for that
        try {
            mine.set(current_failure());
        } catch (const std::bad_alloc &) {
        }
        return false;
    }
}

} // namespace

Prediction::Prediction(Model &model)
    : model_(model), channels_(channels_of(model.local, model.info)),
      reading_(model.local, model.info, model.communicator.size() == 1), array_(model.local, model.info),
      sums_(static_cast<std::size_t>(model.info.partial_count)), mode_(model.options.mode) {
    if (!alone())
        return;
    mode_ = mode_ == SURROGATE_MPI_AUTO ? SURROGATE_MPI_TILES : mode_;
    sentence_ = text(surrogate_mpi_mode_name(mode_), ": one rank holds the whole domain");
}

void Prediction::rehearse() {
    const std::vector<Quantity> quantities(reading_.quantity_count(), Quantity::integer("rehearsal", 0));
    Opinion mine;
    mine.quantities = quantities.data();
    mine.quantity_count = quantities.size();
    agree_on("surrogate_mpi_open: rehearsal", mine, sums_.data(), sums_.size());
}

/// Whether one rank predicts its block as a serial program does. Tiles of a given shape are run even there: their bits
/// are those of any number of ranks.
bool Prediction::alone() const {
    const int mode = model_.options.mode;
    const bool regular =
        model_.options.tile_shape[0] > 0 && (mode == SURROGATE_MPI_AUTO || mode == SURROGATE_MPI_TILES);
    return model_.communicator.size() == 1 && !regular;
}

template <class Call>
int Prediction::predict_alone(const char *where, const surrogate_step_options *step, const Index &shape, Call call) {
    check_covers(model_.info, step, shape);
    alone_shape_ = shape;
    const SerialTimes times(model_.local);
    const int status = check(call());
    if (status == SURROGATE_REJECTED) {
        surrogate_rejection found{};
        found.struct_size = sizeof found;
        const std::string said = surrogate_last_error();
        check(surrogate_last_rejection(model_.local, &found));
        model_.rejection = agreed_rejection(rejection_on(0, {}, model_.info.spatial_rank, found), found);
        surrogate_set_last_error(where, without_place(said).c_str());
    }
    account_ = times.since();
    return status;
}

int Prediction::predict(const char *where, const Arguments &given) {
    if (!alone())
        return predict_together(where, given, nullptr);
    return predict_alone(where, given.step, block_shape(given, model_.info.spatial_rank), [&] {
        return surrogate_predict(model_.local, given.output, given.input, given.count, given.step);
    });
}

int Prediction::predict_array(const char *where, void *output, const void *input, int dtype, int rank,
                              const std::int64_t *shape, const surrogate_step_options *step) {
    if (alone())
        return predict_alone(where, step, array_shape(rank, shape, model_.info.spatial_rank), [&] {
            return surrogate_predict_array(model_.local, output, input, dtype, rank, shape, step);
        });
    std::optional<Failure> refused;
    Arguments given{};
    try {
        given = array_.describe(output, input, dtype, rank, shape, step);
    } catch (...) {
        refused = current_failure();
    }
    return predict_together(where, given, refused ? &*refused : nullptr);
}

/// refused: why this rank's arguments are none; the others must hear of it.
int Prediction::predict_together(const char *where, const Arguments &given, const Failure *refused) {
    account_ = Account();
    model_.communicator.require_heard();
    const Ending ending(model_.local);
    check_in(given, refused);
    const Opinion mine = compute();
    const Opinion agreed = agree_on("surrogate_mpi_predict: outcome", mine, sums_.data(), sums_.size());
    return finish(where, agreed.offence);
}

/// What all ranks think; throws if it is a failure.
Opinion Prediction::agree_on(const char *stage, const Opinion &mine, double *sums, std::size_t count) {
    const Stopwatch watch(account_.agree);
    Opinion agreed = agree(model_.communicator, stage, mine, sums, count);
    require(agreed);
    return agreed;
}

/// All ranks go on, with the workload of the same decomposition, or throw the same failure.
void Prediction::check_in(const Arguments &given, const Failure *refused) {
    Opinion mine;
    if (refused)
        mine.set(*refused);
    else if (attempt(mine, [&] { begin(given); })) {
        mine.quantities = reading_.quantities().data();
        mine.quantity_count = reading_.quantities().size();
        mine.changed =
            !workload_ || workload_->plan().block != reading_.block() || grid_.shape != reading_.grid().shape;
    }
    if (!agree_on("surrogate_mpi_predict: check-in", mine, nullptr, 0).changed)
        return;
    workload_.reset();
    together(model_.communicator, "surrogate_mpi_predict: decomposition", [&] { decompose(); });
}

/// Check the arguments of this rank and pack its block.
void Prediction::begin(const Arguments &given) {
    const Stopwatch watch(account_.pack);
    const auto floats =
        static_cast<std::size_t>(channels_.read * product(block_shape(given, model_.info.spatial_rank)));
    if (packed_.size() < floats)
        packed_.resize(floats);
    check(surrogate_parts_begin(model_.local, packed_.data(), given.output, given.input, given.count, given.step));
    reading_.read(given);
}

/// Exchange the blocks of all ranks, check that they cover the domain, and plan this rank's part.
void Prediction::decompose() {
    const std::vector<char> records = all_gather(model_.communicator, &reading_.block(), sizeof(Box));
    std::vector<Box> blocks(static_cast<std::size_t>(model_.communicator.size()));
    std::memcpy(blocks.data(), records.data(), records.size());
    grid_ = reading_.grid();
    check_blocks(grid_, blocks);
    Cut cut;
    const int tiled = model_.mode == SURROGATE_MPI_BATCH ? SURROGATE_MPI_BATCH : SURROGATE_MPI_TILES;
    if (tiled == SURROGATE_MPI_TILES)
        cut.tile_shape = from_c(model_.options.tile_shape, grid_.rank, model_.options.tile_shape[0] > 0);
    Choice choice = choose_mode(model_.options.mode, tiled, grid_, blocks, cut.tile_shape);
    cut.mode = choice.mode;
    cut.reader = model_.options.reader;
    if (cut.mode == SURROGATE_MPI_BATCH)
        cut.leaders = model_.leaders;
    workload_ = std::make_unique<Workload>(model_.communicator, grid_, blocks, cut, channels_);
    mode_ = choice.mode;
    sentence_ = std::move(choice.sentence);
}

/// This rank's part of the exchanges and of the program, and its opinion about the frame.
Opinion Prediction::compute() {
    Opinion mine;
    if (!attempt(mine, [&] { workload_->send_inputs(packed_.data(), account_); }))
        return mine;
    attempt(mine, [&] { workload_->run(model_.local, packed_.data(), &reading_.step(), account_); });
    if (attempt(mine, [&] { workload_->send_increments(account_); }) && mine.status == SURROGATE_OK)
        attempt(mine, [&] { judge(mine); });
    return mine;
}

void Prediction::judge(Opinion &mine) {
    const Stopwatch watch(account_.output);
    surrogate_rejection own{};
    own.struct_size = sizeof own;
    check(surrogate_parts_partials(model_.local, workload_->increments(), sums_.data(), sums_.size(), &own));
    if (own.reason != SURROGATE_REASON_NONE)
        mine.offence = rejection_on(model_.communicator.rank(), reading_.block().lower, grid_.rank, own);
}

/// Decide by the totals, as all ranks do, and write the block of the frame.
int Prediction::finish(const char *where, const surrogate_mpi_rejection &offence) {
    const Stopwatch watch(account_.output);
    const int status = check(surrogate_predict_finish(model_.local, sums_.data(), sums_.size()));
    if (status == SURROGATE_REJECTED)
        explain(where, offence);
    return status;
}

void Prediction::explain(const char *where, const surrogate_mpi_rejection &offence) {
    const std::string by_sums = without_place(surrogate_last_error());
    surrogate_rejection decided{};
    decided.struct_size = sizeof decided;
    check(surrogate_last_rejection(model_.local, &decided));
    model_.rejection = agreed_rejection(offence, decided);
    const bool of_value = model_.rejection.rank >= 0;
    surrogate_set_last_error(where,
                             (of_value ? rejection_text(model_.local, model_.rejection, grid_.rank) : by_sums).c_str());
}

void Prediction::fill(surrogate_mpi_report &report) const {
    report.mode = mode_;
    report.choice = sentence_.c_str();
    report.bytes_sent = account_.bytes_sent;
    report.bytes_received = account_.bytes_received;
    report.pack_seconds = account_.pack;
    report.exchange_seconds = account_.exchange;
    report.program_seconds = account_.program;
    report.agree_seconds = account_.agree;
    report.output_seconds = account_.output;
    if (workload_)
        workload_->fill(report);
    else if (alone_shape_[2] > 0) {
        report.tiles = 1;
        to_c(report.tile_shape, alone_shape_, model_.info.spatial_rank);
    }
}

} // namespace surrogate::mpi
