// States as Python hands them over, described for the library.
#pragma once

#include "arrays.hpp"

#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace native {

// One array of a state: name, unit or None, array or None (an output that is not wanted), component axis, batch axis.
using Entry = std::tuple<std::string, std::optional<std::string>, std::optional<Array>, std::int32_t, std::int32_t>;

// One frame of a state: a tuple (array, channel axis, batch axis) that holds all channels, or a list of entries.
using Part = std::variant<std::tuple<Array, std::int32_t, std::int32_t>, std::vector<Entry>>;

// What the states of one model look like. Descriptions borrow the arrays and names of what they describe.
class StateForm {
  public:
    StateForm() = default;
    explicit StateForm(surrogate_model *model);

    std::vector<surrogate_field> outputs(const Part &part) const;
    // `frames`: those of the model's history, newest first. Throws Failure for another number of them.
    std::vector<surrogate_field> inputs(const std::vector<Part> &frames) const;
    const std::vector<Channels> &channels() const { return channels_; } // of each field

  private:
    std::vector<Channels> channels_;
    std::size_t frames_ = 1; // of the history that the program reads
};

// The arrays of named fields, all to be read.
std::vector<surrogate_field> described(const std::vector<Entry> &entries);

} // namespace native
