// The Well's layout: groups, attributes and datasets of a recording.
#pragma once

#include "hdf5.hpp"
#include "plugin.h"

#include <vector>

namespace recorder {

/// How the growing datasets are stored.
enum class Storage {
    whole,   // all frames in this file
    placed,  // as whole, but dense and with a place in the file before anything is written
    virtual_ // one block a file, FOLDER/0.h5, FOLDER/1.h5, ...: as many frames as there are files
};

struct Layout {
    const surrogate_recorder_header &header;
    const surrogate_series *series;
    std::size_t count;
};

hid_t file_type(int type); // little-endian, whatever the machine
hid_t memory_type(int type);
std::string dataset_path(const surrogate_series &series);

bool is_field(const surrogate_series &series); // (trajectories, time, cells..., components...)

/// Shape of the chunks that Storage::whole keeps a field in; empty: it is dense.
std::vector<hsize_t> chunk_of(const surrogate_series &series, const surrogate_recorder_header &header);

/// Bytes of one frame's block.
std::size_t block_bytes(const surrogate_series &series);

/// The growing datasets, for `frames` frames (whole, placed), or as views of the files in `folder` (virtual_).
void create_series(hid_t file, const Layout &layout, Storage storage, hsize_t frames, const std::string &folder);

/// All that does not grow: attributes, coordinates, boundary conditions, constant scalars.
void write_header(hid_t file, const Layout &layout);

} // namespace recorder
