#include "recorder.h"

#include "engine_registry.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace surrogate::core {

namespace {

constexpr const char *NOT_STORED = "; the frame is not stored, the earlier ones are";

std::vector<const char *> pointers(const std::vector<std::string> &texts) {
    std::vector<const char *> out;
    for (const auto &entry : texts)
        out.push_back(entry.c_str());
    return out;
}

RecordedSeries scalar_series(const char *group, const char *name, int type) {
    RecordedSeries series;
    series.group = group;
    series.name = name;
    series.type = type;
    series.shape = {1};
    series.block.resize(8);
    return series;
}

void check_shape(const RecordedGrid &grid, const RecordedGrid &expected, const surrogate_field &field, bool fixed) {
    const char *as = fixed ? " as in the first frame" : " as the frame's first field";
    if (grid.rank != expected.rank || !std::equal(grid.shape, grid.shape + grid.rank, expected.shape))
        fail(SURROGATE_ERROR_SHAPE, "recorded field '", field.name, "': spatial shape ",
             list_text(grid.shape, grid.rank), " given, expected ", list_text(expected.shape, expected.rank), as);
    if (grid.trajectories != expected.trajectories)
        fail(SURROGATE_ERROR_SHAPE, "recorded field '", field.name, "': a batch of ", grid.trajectories,
             " states given, expected ", expected.trajectories, as);
}

} // namespace

Recorder::Recorder(const char *path, RecorderOptions options)
    : options_(std::move(options)), parameter_names_(pointers(options_.parameter_names)),
      attributes_(pointers(options_.attributes)),
      plugin_(find_recorder(options_.plugin_path.empty() ? nullptr : options_.plugin_path.c_str())) {
    scalars_.push_back(scalar_series("dimensions", "time", SURROGATE_FLOAT64));
    scalars_[0].has_unit = true;
    scalars_[0].unit = options_.time_unit;
    EngineText message; // last: whatever fails after it would leave the writer behind
    if (const int status = plugin_.create(&writer_, path, options_.overwrite, message.error()))
        throw Error(status, message.text());
}

Recorder::~Recorder() {
    try {
        close();
    } catch (const std::exception &) { // the frames stay readable; who wants to know calls close
    }
}

void Recorder::check_open() const {
    if (!writer_)
        fail(SURROGATE_ERROR_ARGUMENT, "the recorder is closed");
}

void Recorder::check_time(double time) const {
    if (options_.any_time)
        return;
    if (!std::isfinite(time))
        fail(SURROGATE_ERROR_ARGUMENT, "time ", time, " given, expected a finite number");
    if (fixed_ && time <= last_time_)
        fail(SURROGATE_ERROR_ARGUMENT, "time ", time, " given after ", last_time_,
             ", expected a later one; a recording is one trajectory");
}

void Recorder::check_frame(double time, const surrogate_field *fields, std::size_t count) const {
    if (laid_out_)
        fail(SURROGATE_ERROR_ARGUMENT, "the frame of time ", laid_time_,
             " is laid out; call surrogate_recorder_settle first");
    check_time(time);
    if (!fields || count == 0)
        fail(SURROGATE_ERROR_ARGUMENT, fields ? "count is 0" : "fields is NULL", ", expected at least one field");
    if (fixed_ && count != fields_.size())
        fail(SURROGATE_ERROR_FIELD, count, " fields given, expected ", fields_.size(), " as in the first frame");
}

void Recorder::write(double time, const surrogate_field *fields, std::size_t count) {
    const std::lock_guard<std::mutex> lock(mutex_);
    check_frame(time, fields, count);
    stage(0, fields, count);
    commit(time, count, {});
}

const char *Recorder::lay_out(double time, const surrogate_field *fields, std::size_t count, std::uint64_t *offsets) {
    const std::lock_guard<std::mutex> lock(mutex_);
    check_frame(time, fields, count);
    check_open();
    if (!fixed_)
        fields_.clear();
    for (std::size_t i = 0; i < count; ++i)
        stage_field(i, describe_only(fields[i]));
    stage_scalars(time, {});
    describe(false);
    std::vector<std::uint64_t> places(views_.size());
    const auto constants = header();
    const char *path = nullptr;
    EngineText message;
    if (const int status =
            plugin_.lay_out(writer_, &constants, views_.data(), views_.size(), places.data(), &path, message.error()))
        throw Error(status, message.text() + NOT_STORED);
    std::copy(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(count), offsets);
    laid_out_ = true;
    laid_time_ = time;
    return path;
}

void Recorder::settle(bool keep) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!laid_out_)
        fail(SURROGATE_ERROR_ARGUMENT, "no frame is laid out; call surrogate_recorder_lay_out first");
    laid_out_ = false;
    const auto constants = header();
    EngineText message;
    if (const int status = plugin_.settle(writer_, &constants, views_.data(), views_.size(), keep, message.error()))
        throw Error(status, message.text() + NOT_STORED);
    if (keep) {
        fixed_ = true;
        last_time_ = laid_time_;
    }
}

RecordedSeries &Recorder::stage_field(std::size_t at, const surrogate_field &field) {
    const RecordedGrid grid = grid_of(field);
    if (!fixed_ && at == 0)
        grid_ = grid;
    check_shape(grid, grid_, field, fixed_);
    if (!fixed_) {
        for (const auto &other : fields_)
            if (other.name == field.name)
                fail(SURROGATE_ERROR_FIELD, "recorded field '", field.name, "' is given twice");
        fields_.push_back(describe_series(field, grid, options_.precision));
    }
    RecordedSeries &series = fields_[at];
    if (series.name != field.name)
        fail(SURROGATE_ERROR_FIELD, "recorded field '", field.name, "' given, expected '", series.name,
             "' as in the first frame; every frame has the same fields in the same order");
    check_same(series, field, options_.precision);
    return series;
}

void Recorder::stage(std::size_t first, const surrogate_field *fields, std::size_t count) {
    if (!fixed_)
        fields_.resize(first);
    for (std::size_t i = 0; i < count; ++i) {
        RecordedSeries &series = stage_field(first + i, fields[i]);
        series.block.resize(dense_bytes(fields[i], series.type));
        fill_block(series.block.data(), series.type, fields[i]);
    }
}

void Recorder::stage_scalars(double time, const std::vector<RecordedScalar> &scalars) {
    if (!fixed_) {
        scalars_.resize(1);
        for (const auto &scalar : scalars)
            scalars_.push_back(scalar_series("scalars", scalar.name, scalar.type));
    }
    std::memcpy(scalars_[0].block.data(), &time, sizeof time);
    for (std::size_t i = 0; i < scalars.size(); ++i)
        std::memcpy(scalars_[1 + i].block.data(), &scalars[i].real, sizeof scalars[i].real); // 8 bytes of any type
}

void Recorder::describe(bool data) {
    views_.clear();
    for (const auto &series : fields_)
        views_.push_back(series.view(data));
    for (const auto &series : scalars_)
        views_.push_back(series.view(true));
}

void Recorder::commit(double time, std::size_t count, const std::vector<RecordedScalar> &scalars) {
    check_open();
    if (count != fields_.size())
        fail(SURROGATE_ERROR_FIELD, count, " fields given, expected ", fields_.size(), " as in the first frame");
    stage_scalars(time, scalars);
    describe(true);
    const auto constants = header();
    EngineText message;
    if (const int status = plugin_.append(writer_, &constants, views_.data(), views_.size(), message.error()))
        throw Error(status, message.text() + NOT_STORED);
    fixed_ = true;
    last_time_ = time;
}

surrogate_recorder_header Recorder::header() {
    surrogate_recorder_header h{};
    h.name = options_.name.c_str();
    h.description = options_.description.empty() ? nullptr : options_.description.c_str();
    h.time_unit = options_.time_unit.c_str();
    h.length_unit = options_.length_unit.c_str();
    h.spatial_rank = grid_.rank;
    h.trajectories = grid_.trajectories;
    std::copy(grid_.shape, grid_.shape + 3, h.shape);
    std::copy(options_.spacing, options_.spacing + 3, h.spacing);
    std::copy(options_.origin, options_.origin + 3, h.origin);
    std::copy(options_.boundary, options_.boundary + 3, h.boundary);
    std::copy(options_.chunk, options_.chunk + 3, h.chunk);
    h.parameter_names = parameter_names_.data();
    h.parameter_values = options_.parameter_values.data();
    h.parameter_count = parameter_names_.size();
    h.attributes = attributes_.data();
    h.attribute_count = attributes_.size() / 2;
    h.trajectory = options_.trajectory;
    h.seed = options_.seed;
    h.compression = options_.compression;
    return h;
}

void Recorder::close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!writer_)
        return;
    if (!fixed_) // no frame, and its fields may be half described
        views_.clear();
    const auto constants = header();
    EngineText message;
    if (const int status =
            plugin_.finish(std::exchange(writer_, nullptr), &constants, views_.data(), views_.size(), message.error()))
        throw Error(status, message.text());
}

} // namespace surrogate::core
