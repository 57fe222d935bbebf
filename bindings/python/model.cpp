#include "model.hpp"

#include "failure.hpp"

#include <pybind11/stl.h>

namespace py = pybind11;

namespace native {
namespace {

const char *text_or_null(const std::optional<std::string> &text) {
    return text ? text->c_str() : nullptr;
}

// Called by the library while the GIL is released. Nothing that Python raises may pass through C.
void forward_log(void *user, int level, const char *text) {
    py::gil_scoped_acquire acquired;
    try {
        (*static_cast<py::object *>(user))(level, text);
    } catch (py::error_already_set &error) {
        error.discard_as_unraisable("surrogate log callback");
    }
}

surrogate_step_options c_step(const StepOptions &step) {
    surrogate_step_options options;
    surrogate_step_options_init(&options, sizeof options);
    options.step = step.step;
    options.time = step.time;
    options.seed = step.seed;
    options.member = step.member;
    options.members = step.members;
    options.stream = reinterpret_cast<void *>(step.stream);
    if (step.parameters) {
        options.parameters = step.parameters->data();
        options.parameter_count = step.parameters->size();
    }
    return options;
}

template <class Struct> Struct sized() {
    Struct value{};
    value.struct_size = sizeof(Struct);
    return value;
}

// Add the fields of one frame. An entry without an array is an output that is not wanted.
void append(std::vector<surrogate_field> &fields, const Part &part, Access access,
            const std::vector<Channels> &channels) {
    if (const auto *whole = std::get_if<0>(&part)) {
        const auto &[array, channel_axis, batch_axis] = *whole;
        describe_channels(fields, array, access, channels, channel_axis, batch_axis);
        return;
    }
    for (const auto &[name, unit, array, component_axis, batch_axis] : std::get<1>(part)) {
        if (array) {
            fields.push_back(describe(*array, access, name.c_str(), text_or_null(unit), component_axis, batch_axis));
            continue;
        }
        if (access == Access::read)
            throw Failure(SURROGATE_ERROR_ARGUMENT, "field '" + name + "' has no input array");
        surrogate_field field{};
        field.name = name.c_str();
        fields.push_back(field);
    }
}

// Run a call of the library without the GIL: SURROGATE_OK or SURROGATE_REJECTED, errors are thrown.
template <class Call> int called(Call call) {
    py::gil_scoped_release released;
    const int status = call();
    check(status);
    return status;
}

template <class Number> py::tuple axes(const Number (&values)[3], int count) {
    py::tuple result(count);
    for (int axis = 0; axis < count; ++axis)
        result[axis] = values[axis];
    return result;
}

} // namespace

surrogate_open_options Model::c_options() {
    surrogate_open_options options;
    surrogate_open_options_init(&options, sizeof options);
    options.engine = text_or_null(options_.engine);
    options.program = text_or_null(options_.program);
    options.device = text_or_null(options_.device);
    options.precision = text_or_null(options_.precision);
    options.threads = options_.threads;
    options.verify = options_.verify;
    options.guards = text_or_null(options_.guards);
    options.engine_path = text_or_null(options_.engine_path);
    options.engine_options = text_or_null(options_.engine_options);
    options.overlay = text_or_null(options_.overlay);
    options.record_calls = text_or_null(options_.record_calls);
    if (!options_.log.is_none()) {
        options.log = forward_log;
        options.log_user = &options_.log;
    }
    return options;
}

std::unique_ptr<Model> Model::open(const std::string &path, OpenOptions options) {
    std::unique_ptr<Model> self(new Model(std::move(options)));
    const surrogate_open_options c = self->c_options();
    surrogate_model *model = nullptr;
    {
        py::gil_scoped_release released;
        check(surrogate_open(&model, path.c_str(), &c));
    }
    self->adopt(model);
    return self;
}

std::unique_ptr<Model> Model::open_memory(const std::vector<std::pair<std::string, py::bytes>> &files,
                                          OpenOptions options) {
    std::unique_ptr<Model> self(new Model(std::move(options)));
    const surrogate_open_options c = self->c_options();
    std::vector<surrogate_file> list;
    for (const auto &[name, content] : files) {
        char *data = nullptr;
        py::ssize_t size = 0;
        if (PyBytes_AsStringAndSize(content.ptr(), &data, &size) != 0)
            throw py::error_already_set();
        list.push_back({name.c_str(), data, static_cast<std::size_t>(size)});
    }
    surrogate_model *model = nullptr;
    {
        py::gil_scoped_release released;
        check(surrogate_open_memory(&model, list.data(), list.size(), &c));
    }
    self->adopt(model);
    return self;
}

void Model::adopt(surrogate_model *model) {
    handle_ = Handle(model, surrogate_close);
    auto info = sized<surrogate_info>();
    check(surrogate_get_info(model, &info));
    frames_ = static_cast<std::size_t>(info.history);
    for (int index = 0; index < info.field_count; ++index) {
        auto field = sized<surrogate_field_info>();
        check(surrogate_get_field_info(model, index, &field));
        channels_.push_back({field.name, field.components});
    }
}

Model::~Model() {
    close();
}

void Model::close() {
    Handle last;
    last.swap(handle_);
    {
        py::gil_scoped_release released;
        last.reset(); // waits for a prediction under way
    }
    borrowed_.reset();
}

Model::Handle Model::handle() const {
    if (!handle_)
        throw Failure(SURROGATE_ERROR_ARGUMENT, "this model is closed; open the bundle again");
    return handle_;
}

std::vector<surrogate_field> Model::outputs(const Part &part) const {
    std::vector<surrogate_field> fields;
    append(fields, part, Access::write, channels_);
    return fields;
}

std::vector<surrogate_field> Model::inputs(const std::vector<Part> &frames) const {
    std::vector<surrogate_field> fields;
    fields.reserve(frames.size() * channels_.size());
    for (const Part &frame : frames)
        append(fields, frame, Access::read, channels_);
    if (fields.size() % channels_.size() != 0 || fields.size() / channels_.size() != frames_)
        throw Failure(SURROGATE_ERROR_FIELD, std::to_string(frames.size()) + " frames of " +
                                                 std::to_string(fields.size()) + " fields together given; expected " +
                                                 std::to_string(frames_) + " frames of " +
                                                 std::to_string(channels_.size()) + " fields");
    return fields;
}

int Model::predict(const Part &output, const std::vector<Part> &input, const StepOptions &step) {
    const Handle model = handle();
    const auto reads = inputs(input), writes = outputs(output);
    const surrogate_step_options options = c_step(step);
    return called([&] { return surrogate_predict(model.get(), writes.data(), reads.data(), writes.size(), &options); });
}

int Model::predict_ensemble(const std::optional<Part> &mean, const std::optional<Part> &spread,
                            const std::vector<Part> &input, const StepOptions &step) {
    const Handle model = handle();
    const auto reads = inputs(input);
    const auto means = mean ? outputs(*mean) : std::vector<surrogate_field>();
    const auto spreads = spread ? outputs(*spread) : std::vector<surrogate_field>();
    const surrogate_step_options options = c_step(step);
    return called([&] {
        return surrogate_predict_ensemble(model.get(), mean ? means.data() : nullptr, spread ? spreads.data() : nullptr,
                                          reads.data(), channels_.size(), &options);
    });
}

int Model::predict_members(const Part &output, const std::vector<Part> &input, const StepOptions &step) {
    const Handle model = handle();
    const auto reads = inputs(input), writes = outputs(output);
    const surrogate_step_options options = c_step(step);
    return called(
        [&] { return surrogate_predict_members(model.get(), writes.data(), reads.data(), writes.size(), &options); });
}

std::pair<int, std::int64_t> Model::rollout(const Part &output, const std::vector<Part> &input, std::int64_t steps,
                                            const StepOptions &step) {
    const Handle model = handle();
    const auto reads = inputs(input), writes = outputs(output);
    const surrogate_step_options options = c_step(step);
    std::int64_t completed = 0;
    const int status = called([&] {
        return surrogate_rollout(model.get(), &completed, writes.data(), reads.data(), writes.size(), steps, &options);
    });
    return {status, completed};
}

void Model::begin(const Part &output, const std::vector<Part> &input, const StepOptions &step) {
    const Handle model = handle();
    const auto reads = inputs(input), writes = outputs(output);
    const surrogate_step_options options = c_step(step);
    called([&] { return surrogate_predict_begin(model.get(), writes.data(), reads.data(), writes.size(), &options); });
    borrowed_.emplace(output, input);
}

bool Model::test() {
    const Handle model = handle();
    int done = 0;
    called([&] { return surrogate_predict_test(model.get(), &done); });
    return done != 0;
}

int Model::wait() {
    const Handle model = handle();
    const auto held = std::move(borrowed_); // let go of whatever comes
    borrowed_.reset();
    return called([&] { return surrogate_predict_wait(model.get()); });
}

void Model::partials(py::array_t<double> values) {
    const Handle model = handle();
    double *const data = values.mutable_data();
    const auto count = static_cast<std::size_t>(values.size());
    called([&] { return surrogate_predict_partials(model.get(), data, count); });
}

int Model::finish(const py::array_t<double, py::array::c_style | py::array::forcecast> &totals) {
    const Handle model = handle();
    const auto held = std::move(borrowed_); // let go of whatever comes
    borrowed_.reset();
    const double *const data = totals.data();
    const auto count = static_cast<std::size_t>(totals.size());
    return called([&] { return surrogate_predict_finish(model.get(), data, count); });
}

py::dict Model::info() {
    auto info = sized<surrogate_info>();
    const Handle model = handle();
    check(surrogate_get_info(model.get(), &info));
    const int rank = info.spatial_rank;
    py::list boundary;
    for (int axis = 0; axis < rank; ++axis) {
        const int kind = info.boundary[axis];
        boundary.append(kind == SURROGATE_BOUNDARY_PERIODIC ? "periodic"
                        : kind == SURROGATE_BOUNDARY_WALL   ? "wall"
                                                            : "open");
    }
    using namespace py::literals;
    return py::dict("name"_a = info.name, "path"_a = info.path, "engine"_a = info.engine, "program"_a = info.program,
                    "device"_a = info.device, "precision"_a = info.precision, "choice"_a = info.choice,
                    "channels"_a = info.channel_count, "spatial_rank"_a = rank, "time_step"_a = info.time_step,
                    "time_unit"_a = info.time_unit, "fixed_shape"_a = axes(info.fixed_shape, rank),
                    "multiple_of"_a = axes(info.multiple_of, rank), "minimum_shape"_a = axes(info.minimum_shape, rank),
                    "spacing"_a = axes(info.spacing, rank), "spacing_unit"_a = info.spacing_unit,
                    "boundary"_a = py::tuple(boundary), "receptive_field"_a = axes(info.receptive_field, rank),
                    "stride"_a = axes(info.stride, rank), "reduces_over_space"_a = info.reduces_over_space != 0,
                    "stochastic"_a = info.stochastic != 0, "threads"_a = info.threads, "history"_a = info.history,
                    "partial_count"_a = info.partial_count);
}

py::list Model::fields() {
    const Handle model = handle();
    py::list result;
    for (std::size_t index = 0; index < channels_.size(); ++index) {
        auto field = sized<surrogate_field_info>();
        check(surrogate_get_field_info(model.get(), static_cast<int>(index), &field));
        using namespace py::literals;
        result.append(py::dict("name"_a = field.name, "unit"_a = field.unit, "components"_a = field.components,
                               "staggering"_a = field.staggering, "predicted"_a = field.predicted != 0));
    }
    return result;
}

py::list Model::parameters() {
    const Handle model = handle();
    auto info = sized<surrogate_info>();
    check(surrogate_get_info(model.get(), &info));
    py::list result;
    for (int index = 0; index < info.parameter_count; ++index) {
        auto parameter = sized<surrogate_parameter_info>();
        check(surrogate_get_parameter_info(model.get(), index, &parameter));
        using namespace py::literals;
        result.append(py::dict("name"_a = parameter.name, "unit"_a = parameter.unit, "lower"_a = parameter.lower,
                               "upper"_a = parameter.upper, "preset"_a = parameter.preset));
    }
    return result;
}

/// Counts that are not zero, by the reason's name without its prefix.
static py::dict by_reason(const std::int64_t (&counts)[16]) {
    py::dict result;
    for (int reason = 0; reason < 16; ++reason)
        if (counts[reason])
            result[py::str(surrogate_reason_name(reason)).attr("removeprefix")("SURROGATE_REASON_")] = counts[reason];
    return result;
}

py::dict Model::statistics() {
    const Handle model = handle();
    auto counters = sized<surrogate_statistics>();
    check(surrogate_get_statistics(model.get(), &counters));
    using namespace py::literals;
    return py::dict("calls"_a = counters.calls, "ok"_a = counters.ok, "rejected"_a = counters.rejected,
                    "errors"_a = counters.errors, "input_copies"_a = counters.input_copies,
                    "output_passes"_a = counters.output_passes, "allocations"_a = counters.allocations,
                    "pack_seconds"_a = counters.pack_seconds, "program_seconds"_a = counters.program_seconds,
                    "output_seconds"_a = counters.output_seconds, "record_errors"_a = counters.record_errors,
                    "guard_seconds"_a = counters.guard_seconds, "rejected_by"_a = by_reason(counters.rejected_by),
                    "kept_by"_a = by_reason(counters.kept_by), "clipped_cells"_a = counters.clipped_cells,
                    "projections"_a = counters.projections);
}

py::dict Model::last_rejection() {
    const Handle model = handle();
    auto rejection = sized<surrogate_rejection>();
    auto info = sized<surrogate_info>();
    check(surrogate_last_rejection(model.get(), &rejection));
    check(surrogate_get_info(model.get(), &info));
    const bool named = rejection.field >= 0 && static_cast<std::size_t>(rejection.field) < channels_.size();
    using namespace py::literals;
    return py::dict("reason"_a = surrogate_reason_name(rejection.reason),
                    "field"_a = named ? py::object(py::str(channels_[static_cast<std::size_t>(rejection.field)].name))
                                      : py::object(py::none()),
                    "component"_a = rejection.component, "cell"_a = axes(rejection.cell, info.spatial_rank),
                    "batch"_a = rejection.batch, "value"_a = rejection.value, "lower"_a = rejection.lower,
                    "upper"_a = rejection.upper, "call"_a = rejection.call);
}

py::dict Model::verify() {
    const Handle model = handle();
    auto result = sized<surrogate_verification>();
    {
        py::gil_scoped_release released;
        check(surrogate_verify(model.get(), &result));
    }
    using namespace py::literals;
    return py::dict("passed"_a = result.passed != 0, "largest_difference"_a = result.largest_difference,
                    "tolerance"_a = result.tolerance);
}

} // namespace native
