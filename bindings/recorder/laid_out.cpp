// A frame that several processes fill: HDF5 lays its file out and closes it, then everybody writes bytes at the places
// of the datasets, and one gives the file its name.  HDF5 does touch the disk here, so space is reserved before it
// does, and afterwards for those who write: a full disk is found by lay_frame.
#include "disk.hpp"
#include "writer.hpp"

#include <unistd.h>
#include <utility>

namespace recorder {

namespace {

/// Room for what HDF5 writes around the data.
constexpr std::uint64_t AROUND = std::uint64_t{1} << 16;

std::uint64_t frame_bytes(const Layout &layout) {
    std::uint64_t bytes = AROUND;
    for (std::size_t i = 0; i < layout.count; ++i)
        bytes += block_bytes(layout.series[i]) + AROUND / 16;
    return bytes;
}

/// Others write the bytes of memory, HDF5 converts them.
void check_byte_order(const Layout &layout) {
    for (std::size_t i = 0; i < layout.count; ++i)
        if (H5Tequal(file_type(layout.series[i].type), memory_type(layout.series[i].type)) <= 0)
            throw Failure(SURROGATE_ERROR_UNSUPPORTED,
                          "a frame that several processes fill needs a machine that stores the lowest byte first");
}

std::uint64_t offset_of(hid_t file, const surrogate_series &series) {
    const haddr_t offset = H5Dget_offset(open_series(file, series));
    if (offset == HADDR_UNDEF)
        fail_hdf5("H5Dget_offset of " + dataset_path(series));
    return offset;
}

void create_frame(const std::string &partial, const Layout &layout, std::uint64_t *offsets) {
    const Id list = file_access(false);
    Id file(H5Fcreate(partial.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, list), H5Fclose, "creating " + partial);
    create_series(file, layout, Storage::placed, 1, "");
    reserve(partial, frame_bytes(layout)); // creating the file gave the first reservation back
    for (std::size_t i = 0; i < layout.count; ++i) {
        offsets[i] = offset_of(file, layout.series[i]);
        if (layout.series[i].data)
            write_series(file, layout.series[i]);
    }
    file.close("closing the frame that was laid out");
}

} // namespace

void lay_frame(surrogate_recorder_writer &writer, const Layout &layout, std::uint64_t *offsets) {
    check_byte_order(layout);
    if (writer.frames == 0)
        check_joinable(layout);
    std::string partial = writer.frame(writer.frames) + ".partial";
    publish(partial, "", 0);
    try {
        reserve(partial, frame_bytes(layout));
        create_frame(partial, layout, offsets);
        trim(partial);
    } catch (...) {
        ::unlink(partial.c_str());
        throw;
    }
    writer.partial = std::move(partial);
}

void settle_frame(surrogate_recorder_writer &writer, const Layout &layout, bool keep) {
    const std::string partial = std::exchange(writer.partial, std::string());
    try {
        if (keep)
            rename_file(partial, writer.frame(writer.frames));
    } catch (...) {
        ::unlink(partial.c_str());
        throw;
    }
    if (keep)
        admit_frame(writer, layout);
    else
        ::unlink(partial.c_str());
}

} // namespace recorder
