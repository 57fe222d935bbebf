// Frames that one process holds whole, and the file over all of them: built in memory, published complete.
#include "disk.hpp"
#include "writer.hpp"

#include <unistd.h>

namespace recorder {

Id file_access(bool in_memory) {
    Id list(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "H5Pcreate");
    if (in_memory)
        check(H5Pset_fapl_core(list, std::size_t{1} << 20, false), "H5Pset_fapl_core");
    return list;
}

Id open_series(hid_t file, const surrogate_series &series) {
    const std::string path = dataset_path(series);
    return Id(H5Dopen2(file, path.c_str(), H5P_DEFAULT), H5Dclose, "opening " + path);
}

void write_series(hid_t file, const surrogate_series &series) {
    const Id target = open_series(file, series);
    check(H5Dwrite(target, memory_type(series.type), H5S_ALL, H5S_ALL, H5P_DEFAULT, series.data), "H5Dwrite");
}

namespace {

/// Fill an HDF5 file in memory and hand it to `take`; no file is touched.
template <class Fill, class Take> void in_memory(Fill fill, Take take) {
    const Id list = file_access(true);
    const Id file(H5Fcreate("surrogate-recorder", H5F_ACC_TRUNC, H5P_DEFAULT, list), H5Fclose, "H5Fcreate in memory");
    fill(file);
    check(H5Fflush(file, H5F_SCOPE_LOCAL), "H5Fflush");
    take(file);
}

/// The bytes of an HDF5 file that `fill` fills.
template <class Fill> std::vector<char> image_of(Fill fill) {
    std::vector<char> bytes;
    in_memory(fill, [&](hid_t file) {
        const ssize_t size = H5Fget_file_image(file, nullptr, 0);
        if (size < 0)
            fail_hdf5("H5Fget_file_image");
        bytes.resize(static_cast<std::size_t>(size));
        if (H5Fget_file_image(file, bytes.data(), bytes.size()) < 0)
            fail_hdf5("H5Fget_file_image");
    });
    return bytes;
}

std::vector<char> frame_image(const Layout &layout) {
    return image_of([&](hid_t file) {
        create_series(file, layout, Storage::whole, 1, "");
        for (std::size_t i = 0; i < layout.count; ++i)
            write_series(file, layout.series[i]);
    });
}

} // namespace

std::vector<char> index_image(const surrogate_recorder_writer &writer, const Layout &layout) {
    return image_of([&](hid_t file) {
        create_series(file, layout, Storage::virtual_, 0, writer.folder_name());
        write_header(file, layout);
    });
}

void check_joinable(const Layout &layout) {
    in_memory([&](hid_t file) { create_series(file, layout, Storage::whole, 1, ""); }, [](hid_t) {}); // no data: small
}

void admit_frame(surrogate_recorder_writer &writer, const Layout &layout) {
    if (writer.frames == 0) {
        try {
            const std::vector<char> index = index_image(writer, layout);
            publish(writer.path, index.data(), index.size());
        } catch (...) {
            ::unlink(writer.frame(0).c_str());
            throw;
        }
    }
    ++writer.frames;
}

void append_frame(surrogate_recorder_writer &writer, const Layout &layout) {
    const std::vector<char> frame = frame_image(layout);
    publish(writer.frame(writer.frames), frame.data(), frame.size());
    admit_frame(writer, layout);
}

} // namespace recorder
