#include "mpi_model.hpp"

#include "calling.hpp"
#include "facts.hpp"

#include <algorithm>
#include <utility>

namespace py = pybind11;

namespace native {
namespace {

void copy_axes(std::int64_t (&target)[3], const std::vector<std::int64_t> &values) {
    std::copy_n(values.begin(), std::min<std::size_t>(values.size(), 3), target);
}

} // namespace

surrogate_mpi_options MpiOptions::c() const {
    surrogate_mpi_options options;
    surrogate_mpi_options_init(&options, sizeof options);
    options.mode = mode;
    options.leaders = leaders;
    options.reader = reader;
    options.deadline = deadline;
    copy_axes(options.tile_shape, tile_shape);
    return options;
}

std::unique_ptr<MpiModel> MpiModel::open(int communicator, const std::optional<std::string> &path, OpenOptions options,
                                         const MpiOptions &mpi) {
    std::unique_ptr<MpiModel> self(new MpiModel(std::move(options)));
    const surrogate_open_options c = self->options_.c();
    const surrogate_mpi_options c_mpi = mpi.c();
    called([&] { return surrogate_mpi_open_f(&self->handle_, communicator, text_or_null(path), &c, &c_mpi); });
    self->form_ = StateForm(self->local());
    return self;
}

surrogate_mpi_model *MpiModel::handle() const {
    if (!handle_)
        throw Failure(SURROGATE_ERROR_ARGUMENT, "this model is closed; open the bundle again");
    return handle_;
}

int MpiModel::predict(const Part &output, const std::vector<Part> &input, const StepOptions &step, const Place &place) {
    surrogate_mpi_model *const model = handle();
    std::vector<surrogate_field> reads, writes;
    try {
        reads = form_.inputs(input);
        writes = form_.outputs(output);
    } catch (...) { // want of memory too
        abstain();
        throw;
    }
    surrogate_step_options options = step.c();
    copy_axes(options.origin, place.origin);
    copy_axes(options.global_shape, place.global_shape);
    return called([&] { return surrogate_mpi_predict(model, writes.data(), reads.data(), writes.size(), &options); });
}

void MpiModel::abstain() {
    surrogate_mpi_model *const model = handle();
    py::gil_scoped_release released;
    surrogate_mpi_predict(model, nullptr, nullptr, 0, nullptr);
}

void MpiModel::close() {
    surrogate_mpi_model *const model = std::exchange(handle_, nullptr);
    called([&] { return surrogate_mpi_close(model); });
}

py::dict MpiModel::info() const {
    return info_facts(local());
}

py::list MpiModel::fields() const {
    return field_facts(local());
}

py::list MpiModel::parameters() const {
    return parameter_facts(local());
}

py::dict MpiModel::statistics() const {
    return statistics_facts(local());
}

py::dict MpiModel::last_rejection() const {
    auto rejection = sized<surrogate_mpi_rejection>();
    check(surrogate_mpi_last_rejection(handle(), &rejection));
    py::dict facts = rejection_facts(local(), form_, rejection);
    facts["rank"] = rejection.rank;
    return facts;
}

py::dict MpiModel::report() const {
    auto report = sized<surrogate_mpi_report>();
    auto info = sized<surrogate_info>();
    check(surrogate_mpi_get_report(handle(), &report));
    check(surrogate_get_info(local(), &info));
    using namespace py::literals;
    return py::dict("mode"_a = surrogate_mpi_mode_name(report.mode), "choice"_a = report.choice ? report.choice : "",
                    "ranks"_a = report.ranks, "rank"_a = report.rank, "node_ranks"_a = report.node_ranks,
                    "node_rank"_a = report.node_rank, "nodes"_a = report.nodes, "device"_a = report.device,
                    "threads"_a = report.threads, "tiles"_a = report.tiles,
                    "tile_shape"_a = axes(report.tile_shape, info.spatial_rank),
                    "halo"_a = axes(report.halo, info.spatial_rank), "bytes_sent"_a = report.bytes_sent,
                    "bytes_received"_a = report.bytes_received, "minimum_bytes"_a = report.minimum_bytes,
                    "pack_seconds"_a = report.pack_seconds, "exchange_seconds"_a = report.exchange_seconds,
                    "program_seconds"_a = report.program_seconds, "agree_seconds"_a = report.agree_seconds,
                    "output_seconds"_a = report.output_seconds, "open_read_seconds"_a = report.open_read_seconds,
                    "open_seconds"_a = report.open_seconds);
}

} // namespace native
