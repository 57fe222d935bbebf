#include "states.hpp"

#include "calling.hpp"
#include "options.hpp"

namespace native {
namespace {

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

} // namespace

StateForm::StateForm(surrogate_model *model) {
    auto info = sized<surrogate_info>();
    check(surrogate_get_info(model, &info));
    frames_ = static_cast<std::size_t>(info.history);
    for (int index = 0; index < info.field_count; ++index) {
        auto field = sized<surrogate_field_info>();
        check(surrogate_get_field_info(model, index, &field));
        channels_.push_back({field.name, field.components});
    }
}

std::vector<surrogate_field> StateForm::outputs(const Part &part) const {
    std::vector<surrogate_field> fields;
    append(fields, part, Access::write, channels_);
    return fields;
}

std::vector<surrogate_field> StateForm::inputs(const std::vector<Part> &frames) const {
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

std::vector<surrogate_field> described(const std::vector<Entry> &entries) {
    std::vector<surrogate_field> fields;
    for (const auto &[name, unit, array, component_axis, batch_axis] : entries)
        fields.push_back(
            describe(array.value(), Access::read, name.c_str(), text_or_null(unit), component_axis, batch_axis));
    return fields;
}

} // namespace native
