// Frames in files of their own become one plain file, copied slab by slab: nobody holds a whole field.
#include "disk.hpp"
#include "writer.hpp"

#include <algorithm>

namespace recorder {

namespace {

constexpr std::size_t SLAB = std::size_t{1} << 24; // bytes that are copied at a time, more if a chunk is larger

/// Part of one frame's block.
struct Slab {
    std::vector<hsize_t> start, count;
    void select(hid_t space) const {
        check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
              "H5Sselect_hyperslab");
    }
};

/// A field's block cut along trajectories and the slowest spatial axis, between chunks, so that none is compressed
/// twice; other blocks are small and stay whole.
std::vector<Slab> slabs_of(const surrogate_series &series, const surrogate_recorder_header &header) {
    const Slab whole{std::vector<hsize_t>(static_cast<std::size_t>(series.rank), 0),
                     std::vector<hsize_t>(series.shape, series.shape + series.rank)};
    if (!is_field(series))
        return {whole};
    const hsize_t cells = whole.count[2], row = block_bytes(series) / (whole.count[0] * cells);
    const std::vector<hsize_t> chunk = chunk_of(series, header);
    const hsize_t unit = chunk.empty() ? 1 : chunk[2];
    const hsize_t rows = std::max<hsize_t>(SLAB / row / unit, 1) * unit;
    std::vector<Slab> slabs;
    for (hsize_t trajectory = 0; trajectory < whole.count[0]; ++trajectory)
        for (hsize_t first = 0; first < cells; first += rows) {
            Slab slab = whole;
            slab.start[0] = trajectory;
            slab.count[0] = 1;
            slab.start[2] = first;
            slab.count[2] = std::min(rows, cells - first);
            slabs.push_back(std::move(slab));
        }
    return slabs;
}

void copy_series(hid_t frame, hid_t whole, const surrogate_series &series, const surrogate_recorder_header &header,
                 std::uint64_t number, std::vector<char> &buffer) {
    const hid_t type = memory_type(series.type);
    const Id source = open_series(frame, series), target = open_series(whole, series);
    const Id from(H5Dget_space(source), H5Sclose, "H5Dget_space"), to(H5Dget_space(target), H5Sclose, "H5Dget_space");
    for (Slab &slab : slabs_of(series, header)) {
        const Id memory(H5Screate_simple(series.rank, slab.count.data(), nullptr), H5Sclose, "H5Screate_simple");
        std::size_t bytes = series.type == SURROGATE_FLOAT32 ? 4 : 8;
        for (const hsize_t n : slab.count)
            bytes *= n;
        buffer.resize(std::max(buffer.size(), bytes));
        slab.select(from);
        check(H5Dread(source, type, memory, from, H5P_DEFAULT, buffer.data()), "H5Dread");
        slab.start[static_cast<std::size_t>(series.time_axis)] = number;
        slab.select(to);
        check(H5Dwrite(target, type, memory, to, H5P_DEFAULT, buffer.data()), "H5Dwrite");
    }
}

void copy_frame(hid_t whole, const surrogate_recorder_writer &writer, const Layout &layout, std::uint64_t number,
                std::vector<char> &buffer) {
    const Id list = file_access(false);
    const Id file(H5Fopen(writer.frame(number).c_str(), H5F_ACC_RDONLY, list), H5Fclose,
                  "opening " + writer.frame(number));
    for (std::size_t i = 0; i < layout.count; ++i)
        copy_series(file, whole, layout.series[i], layout.header, number, buffer);
}

/// No less than the joined file can need: every frame's file holds the same blocks and an index of its own.
std::uint64_t joined_bytes(const surrogate_recorder_writer &writer, const Layout &layout) {
    std::uint64_t bytes = (std::uint64_t{1} << 16) + index_image(writer, layout).size();
    for (std::uint64_t number = 0; number < writer.frames; ++number)
        bytes += file_size(writer.frame(number));
    return bytes;
}

} // namespace

void join(const surrogate_recorder_writer &writer, const Layout &layout) {
    const std::string partial = writer.folder() + "/joined.partial";
    publish(partial, "", 0);
    reserve(partial, joined_bytes(writer, layout));
    {
        const Id list = file_access(false);
        Id file(H5Fcreate(partial.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, list), H5Fclose, "creating " + partial);
        create_series(file, layout, Storage::whole, writer.frames, "");
        write_header(file, layout);
        reserve(partial, joined_bytes(writer, layout)); // creating the file gave the first reservation back
        std::vector<char> buffer;
        for (std::uint64_t number = 0; number < writer.frames; ++number)
            copy_frame(file, writer, layout, number, buffer);
        file.close("closing the joined file");
    }
    trim(partial);
    rename_file(partial, writer.path);
}

} // namespace recorder
