// The public functions of section 3, predict: each is one guarded call.
#include "given_communicator.h"
#include "model.h"
#include "prediction.h"

#include "core/versioned.h"

using namespace surrogate::mpi;

namespace {

/// Of a model that may predict; its report may be asked for after MPI has ended.
Prediction &ready(surrogate_mpi_model *handle) {
    Model &model = opened(handle);
    check_running();
    return *model.prediction;
}

surrogate_mpi_report report_of(Model &model) {
    surrogate_mpi_report report{};
    report.ranks = model.communicator.size();
    report.rank = model.communicator.rank();
    report.node_ranks = model.nodes.size();
    report.node_rank = model.nodes.rank;
    report.nodes = model.nodes.count();
    report.device = model.facts.device;
    report.threads = model.facts.threads;
    report.open_read_seconds = model.facts.read_seconds;
    report.open_seconds = model.facts.seconds;
    model.prediction->fill(report);
    return report;
}

} // namespace

extern "C" {

int surrogate_mpi_predict(surrogate_mpi_model *model, const surrogate_field *output, const surrogate_field *input,
                          size_t count, const surrogate_step_options *step) {
    constexpr const char *where = "surrogate_mpi_predict";
    return guarded(where, [&] { return ready(model).predict(where, {output, input, count, step}); });
}

int surrogate_mpi_predict_array(surrogate_mpi_model *model, void *output, const void *input, int dtype, int rank,
                                const int64_t *shape, const surrogate_step_options *step) {
    constexpr const char *where = "surrogate_mpi_predict_array";
    return guarded(where, [&] { return ready(model).predict_array(where, output, input, dtype, rank, shape, step); });
}

int surrogate_mpi_last_rejection(surrogate_mpi_model *model, surrogate_mpi_rejection *rejection) {
    return guarded("surrogate_mpi_last_rejection", [&] {
        surrogate::core::write_versioned(rejection, opened(model).rejection, "rejection");
        return SURROGATE_OK;
    });
}

int surrogate_mpi_get_report(surrogate_mpi_model *model, surrogate_mpi_report *report) {
    return guarded("surrogate_mpi_get_report", [&] {
        surrogate::core::write_versioned(report, report_of(opened(model)), "report");
        return SURROGATE_OK;
    });
}

} // extern "C"
