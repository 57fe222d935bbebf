// The solver's fields as dense blocks of a recording.
#pragma once

#include "../recorder/plugin.h"
#include "error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace surrogate::core {

/// One dataset of a recording, as the first frame fixed it, and the block of the frame at hand.
struct RecordedSeries {
    std::string group, name, unit;
    bool has_unit = false;
    int type = 0;  // in the file
    int dtype = 0; // of the caller's array
    int components = 1;
    std::vector<std::int64_t> shape; // of one frame's block
    int time_axis = 0;
    std::vector<char> block; // empty until it is filled

    /// What the plugin is told; without `data` others write it.
    surrogate_series view(bool data) const;
};

/// Cells and trajectories of a frame, the same for all its fields.
struct RecordedGrid {
    int rank = 0;
    std::int64_t shape[3] = {};
    std::int64_t trajectories = 1;
};

/// Number of spatial axes of a field, and their extents; checks the field by itself.
RecordedGrid grid_of(const surrogate_field &field);

/// The field described as a dense one whose data nobody reads, for its checks.
surrogate_field describe_only(const surrogate_field &field);

/// The dataset of a field; `precision` 0: the field's own. Its block is neither made nor filled.
RecordedSeries describe_series(const surrogate_field &field, const RecordedGrid &grid, int precision);

/// Fail unless `field` is of the kind that `series` was made for.
void check_same(const RecordedSeries &series, const surrogate_field &field, int precision);

/// Bytes of the field as a dense block of `type`.
std::size_t dense_bytes(const surrogate_field &field, int type);

/// Fill `block`: any strides and either dtype to dense cells of `type`, components last.
void fill_block(char *block, int type, const surrogate_field &field);

} // namespace surrogate::core
