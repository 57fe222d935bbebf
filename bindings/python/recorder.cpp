#include "recorder.hpp"

#include "failure.hpp"

#include <pybind11/stl.h>

#include <algorithm>

namespace py = pybind11;

namespace native {
namespace {

template <class T> T value(const py::dict &options, const char *key, T preset) {
    return options.contains(key) && !options[key].is_none() ? options[key].cast<T>() : preset;
}

template <class T> void axes(T (&target)[3], const py::dict &options, const char *key) {
    const auto given = value<std::vector<T>>(options, key, {});
    std::copy_n(given.begin(), std::min<std::size_t>(given.size(), 3), target);
}

const char *text_or_null(const std::string &text) {
    return text.empty() ? nullptr : text.c_str();
}

} // namespace

std::unique_ptr<Recorder> Recorder::open(const std::string &path, const py::dict &given) {
    const auto text = [&](const char *key) { return value<std::string>(given, key, ""); };
    const std::string name = text("name"), description = text("description"), time_unit = text("time_unit"),
                      length_unit = text("length_unit"), plugin_path = text("plugin_path");
    const auto names = value<std::vector<std::string>>(given, "parameter_names", {});
    const auto values = value<std::vector<double>>(given, "parameter_values", {});
    std::vector<const char *> pointers;
    for (const auto &entry : names)
        pointers.push_back(entry.c_str());
    surrogate_recorder_options options;
    surrogate_recorder_options_init(&options, sizeof options);
    options.name = text_or_null(name);
    options.description = text_or_null(description);
    options.time_unit = text_or_null(time_unit);
    options.length_unit = text_or_null(length_unit);
    options.plugin_path = text_or_null(plugin_path);
    axes(options.spacing, given, "spacing");
    axes(options.origin, given, "origin");
    axes(options.boundary, given, "boundary");
    axes(options.chunk, given, "chunk");
    options.parameter_names = pointers.data();
    options.parameter_values = values.data();
    options.parameter_count = std::min(names.size(), values.size());
    options.trajectory = value<std::int64_t>(given, "trajectory", -1);
    options.seed = value<std::uint64_t>(given, "seed", 0);
    options.precision = value<std::int32_t>(given, "precision", 0);
    options.compression = value<std::int32_t>(given, "compression", 0);
    options.overwrite = value<bool>(given, "overwrite", false);
    surrogate_recorder *handle = nullptr;
    {
        py::gil_scoped_release released;
        check(surrogate_recorder_open(&handle, path.c_str(), &options));
    }
    return std::unique_ptr<Recorder>(new Recorder(handle));
}

Recorder::~Recorder() {
    py::gil_scoped_release released;
    surrogate_recorder_close(handle_);
}

void Recorder::write(double time, const std::vector<Entry> &entries) {
    std::vector<surrogate_field> fields;
    for (const auto &[name, unit, array, component_axis, batch_axis] : entries)
        fields.push_back(describe(array.value(), Access::read, name.c_str(), unit ? unit->c_str() : nullptr,
                                  component_axis, batch_axis));
    surrogate_recorder *const handle = handle_;
    if (!handle)
        throw Failure(SURROGATE_ERROR_ARGUMENT, "this recorder is closed; open another one");
    py::gil_scoped_release released;
    check(surrogate_recorder_write(handle, time, fields.data(), fields.size()));
}

void Recorder::close() {
    surrogate_recorder *const handle = handle_;
    handle_ = nullptr;
    py::gil_scoped_release released;
    check(surrogate_recorder_close(handle));
}

} // namespace native
