#include "recorder_options.hpp"

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

RecorderOptions::RecorderOptions(const py::dict &given) {
    const auto text = [&](const char *key) { return value<std::string>(given, key, ""); };
    name_ = text("name");
    description_ = text("description");
    time_unit_ = text("time_unit");
    length_unit_ = text("length_unit");
    plugin_path_ = text("plugin_path");
    parameter_names_ = value<std::vector<std::string>>(given, "parameter_names", {});
    parameter_values_ = value<std::vector<double>>(given, "parameter_values", {});
    for (const auto &entry : parameter_names_)
        name_pointers_.push_back(entry.c_str());
    surrogate_recorder_options_init(&options_, sizeof options_);
    options_.name = text_or_null(name_);
    options_.description = text_or_null(description_);
    options_.time_unit = text_or_null(time_unit_);
    options_.length_unit = text_or_null(length_unit_);
    options_.plugin_path = text_or_null(plugin_path_);
    axes(options_.spacing, given, "spacing");
    axes(options_.origin, given, "origin");
    axes(options_.boundary, given, "boundary");
    axes(options_.chunk, given, "chunk");
    options_.parameter_names = name_pointers_.data();
    options_.parameter_values = parameter_values_.data();
    options_.parameter_count = std::min(parameter_names_.size(), parameter_values_.size());
    options_.trajectory = value<std::int64_t>(given, "trajectory", -1);
    options_.seed = value<std::uint64_t>(given, "seed", 0);
    options_.precision = value<std::int32_t>(given, "precision", 0);
    options_.compression = value<std::int32_t>(given, "compression", 0);
    options_.overwrite = value<bool>(given, "overwrite", false);
}

} // namespace native
