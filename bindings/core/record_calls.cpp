#include "record_calls.h"

#include "model.h"

namespace surrogate::core {

namespace {

RecorderOptions options_of(const Bundle &bundle, const Program &program, const std::string &plugin_path) {
    const Manifest &manifest = bundle.manifest();
    RecorderOptions options;
    options.name = manifest.name;
    options.description = "accepted predictions of a surrogate: input.NAME at time, output.NAME one time step later";
    options.time_unit = manifest.time_unit;
    options.length_unit = manifest.grid.spacing_unit;
    std::copy(manifest.grid.spacing, manifest.grid.spacing + 3, options.spacing);
    std::copy(manifest.grid.boundary, manifest.grid.boundary + 3, options.boundary);
    options.plugin_path = plugin_path;
    options.any_time = true; // what the host says, NaN where it says nothing
    options.attributes = {"bundle",
                          bundle.path(),
                          "engine",
                          program.engine_version(),
                          "program",
                          program.spec().name,
                          "device",
                          program.device(),
                          "precision",
                          program.spec().precision,
                          "recorded",
                          "calls",
                          "surrogate_version",
                          SURROGATE_VERSION};
    return options;
}

RecordedScalar integer(const char *name, std::int64_t value) {
    RecordedScalar scalar{name, RecordedScalar::INTEGER, {}};
    scalar.integer = value;
    return scalar;
}

RecordedScalar real(const char *name, double value) {
    RecordedScalar scalar{name, RecordedScalar::REAL, {}};
    scalar.real = value;
    return scalar;
}

} // namespace

CallRecord::CallRecord(const std::string &path, const Bundle &bundle, const Program &program,
                       const std::string &plugin_path)
    : manifest_(bundle.manifest()), recorder_(path.c_str(), options_of(bundle, program, plugin_path)) {
    for (const auto &field : manifest_.fields) {
        inputs_.push_back("input." + field.name);
        const bool predicted = field.prediction != Prediction::none;
        outputs_.push_back(predicted ? "output." + field.name : "");
        predicted_ += predicted;
    }
    for (const auto &parameter : manifest_.parameters)
        parameters_.push_back("parameter." + parameter.name);
}

void CallRecord::stage(const State &state, const std::vector<std::string> &names, std::size_t first) {
    std::vector<surrogate_field> fields;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i].empty())
            continue;
        fields.push_back(*state.fields[i]);
        fields.back().name = names[i].c_str();
        fields.back().unit = manifest_.fields[i].unit.c_str();
    }
    recorder_.stage(first, fields.data(), fields.size());
}

void CallRecord::stage_input(const State &input) {
    staged_ = false;
    stage(input, inputs_, 0);
    staged_ = true;
}

void CallRecord::commit(const State &output, const surrogate_step_options &step, std::int64_t call) {
    if (!staged_)
        return;
    stage(output, outputs_, inputs_.size());
    RecordedScalar seed{"seed", RecordedScalar::COUNT, {}};
    seed.count = step.seed;
    std::vector<RecordedScalar> scalars = {integer("call", call), integer("status", SURROGATE_OK),
                                           integer("step", step.step), integer("member", step.member), seed};
    for (std::size_t p = 0; p < parameters_.size(); ++p)
        scalars.push_back(
            real(parameters_[p].c_str(), step.parameters ? step.parameters[p] : manifest_.parameters[p].preset));
    recorder_.commit(step.time, inputs_.size() + predicted_, scalars);
}

/// Run one half of recording a call; what fails is told once and counted, and changes nothing else.
template <class Half> static void attempt(Half half, std::int64_t &errors, const Model &model) {
    try {
        half();
    } catch (const std::exception &error) {
        if (++errors == 1)
            model.warn_of_record(error, " (further calls that cannot be recorded are counted, not logged)");
    }
}

Model::~Model() {
    try {
        if (calls_)
            calls_->close();
    } catch (const std::exception &error) {
        warn_of_record(error, "");
    }
}

void Model::warn_of_record(const std::exception &error, const char *more) const noexcept {
    if (!log_)
        return;
    try {
        log(SURROGATE_LOG_WARNING, text("record_calls: ", error.what(), more));
    } catch (const std::exception &) { // no memory for the text either
        log_(log_user_, SURROGATE_LOG_WARNING, "record_calls: out of memory");
    }
}

void Model::record_input() {
    if (calls_)
        attempt([&] { calls_->stage_input(call_.input()); }, statistics_.record_errors, *this);
}

void Model::record_output() {
    if (calls_)
        attempt([&] { calls_->commit(call_.output, call_.step, statistics_.calls); }, statistics_.record_errors, *this);
}

} // namespace surrogate::core
