#include "record_calls.h"

#include "model.h"

namespace surrogate::core {

namespace {

RecorderOptions options_of(const Bundle &bundle, const Program &program, const std::string &guards,
                           const std::string &plugin_path) {
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
                          "bundle_sha256",
                          bundle.manifest_hash(),
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
    if (!guards.empty())
        options.attributes.insert(options.attributes.end(), {"guards", guards});
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

/// Field `spec` of a state where it stands now: in a rollout the channels move on, what the caller described does not.
surrogate_field describe(const State &state, const FieldSpec &spec, int spatial, const char *name) {
    const Channel *channels = &state.channels[static_cast<std::size_t>(spec.first_input)];
    surrogate_field field{};
    field.name = name;
    field.unit = spec.unit.c_str();
    field.data = channels->data;
    field.dtype = state.dtype;
    field.memory = state.memory;
    field.device = state.device;
    field.batch_axis = 0;
    field.component_axis = 1;
    field.rank = 2 + spatial;
    field.shape[0] = state.batch;
    field.strides[0] = channels->batch_stride;
    field.shape[1] = spec.components;
    field.strides[1] = spec.components > 1 ? channels[1].data - channels[0].data : 0;
    std::copy(state.shape, state.shape + spatial, field.shape + 2);
    std::copy(channels->strides, channels->strides + spatial, field.strides + 2);
    return field;
}

} // namespace

CallRecord::CallRecord(const std::string &path, const Bundle &bundle, const Program &program, const std::string &guards,
                       const std::string &plugin_path)
    : manifest_(bundle.manifest()), recorder_(path.c_str(), options_of(bundle, program, guards, plugin_path)) {
    for (int frame = 0; frame < manifest_.history; ++frame)
        for (const auto &field : manifest_.fields)
            inputs_.push_back((frame ? text("history", frame, ".") : std::string("input.")) + field.name);
    for (const auto &field : manifest_.fields) {
        const bool predicted = field.predicted();
        outputs_.push_back(predicted ? "output." + field.name : "");
        predicted_ += predicted;
    }
    for (const auto &parameter : manifest_.parameters)
        parameters_.push_back("parameter." + parameter.name);
    for (std::int64_t k = 0; k < manifest_.text.length; ++k)
        parameters_.push_back(text("token", k));
}

void CallRecord::stage(const State &state, const std::string *names, std::size_t first) {
    std::vector<surrogate_field> fields;
    for (std::size_t i = 0; i < manifest_.fields.size(); ++i)
        if (!names[i].empty())
            fields.push_back(describe(state, manifest_.fields[i], manifest_.grid.rank, names[i].c_str()));
    recorder_.stage(first, fields.data(), fields.size());
}

void CallRecord::stage_input(const Call &call) {
    staged_ = false;
    for (std::size_t frame = 0, count = manifest_.fields.size(); frame < call.frames.size(); ++frame)
        stage(call.frames[frame], &inputs_[frame * count], frame * count);
    staged_ = true;
}

void CallRecord::commit(const Call &call, std::int64_t number) {
    if (!staged_)
        return;
    stage(call.output, outputs_.data(), inputs_.size());
    recorder_.commit(call.step.time, inputs_.size() + predicted_, scalars_of(call, number));
}

std::vector<RecordedScalar> CallRecord::scalars_of(const Call &call, std::int64_t number) const {
    constexpr const char *ORIGIN[] = {"origin0", "origin1", "origin2"};
    constexpr const char *WHOLE[] = {"global_shape0", "global_shape1", "global_shape2"};
    const surrogate_step_options &step = call.step;
    RecordedScalar seed{"seed", RecordedScalar::COUNT, {}};
    seed.count = step.seed;
    std::vector<RecordedScalar> scalars = {integer("call", number),
                                           integer("status", SURROGATE_OK),
                                           integer("step", step.step),
                                           integer("member", step.member),
                                           seed,
                                           integer("totals", call.has_totals)};
    for (int axis = 0; axis < manifest_.grid.rank; ++axis) {
        scalars.push_back(integer(ORIGIN[axis], step.origin[axis]));
        scalars.push_back(integer(WHOLE[axis], step.global_shape[axis]));
    }
    if (manifest_.sampler)
        scalars.push_back(integer("steps", call.steps));
    for (std::size_t p = 0; p < parameters_.size(); ++p)
        scalars.push_back(real(parameters_[p].c_str(), call.parameters[p]));
    return scalars;
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
        attempt([&] { calls_->stage_input(call_); }, statistics_.record_errors, *this);
}

void Model::record_output() {
    if (calls_)
        attempt([&] { calls_->commit(call_, statistics_.calls); }, statistics_.record_errors, *this);
}

} // namespace surrogate::core
