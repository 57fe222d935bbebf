#include "layout.hpp"

#include <algorithm>
#include <cstring>

namespace recorder {

hid_t file_type(int type) {
    switch (type) {
    case SURROGATE_FLOAT32:
        return H5T_IEEE_F32LE;
    case SURROGATE_FLOAT64:
        return H5T_IEEE_F64LE;
    case SURROGATE_SERIES_INT64:
        return H5T_STD_I64LE;
    default:
        return H5T_STD_U64LE;
    }
}

hid_t memory_type(int type) {
    switch (type) {
    case SURROGATE_FLOAT32:
        return H5T_NATIVE_FLOAT;
    case SURROGATE_FLOAT64:
        return H5T_NATIVE_DOUBLE;
    case SURROGATE_SERIES_INT64:
        return H5T_NATIVE_INT64;
    default:
        return H5T_NATIVE_UINT64;
    }
}

std::string dataset_path(const surrogate_series &series) {
    return "/" + std::string(series.group) + "/" + series.name;
}

static std::vector<hsize_t> shape_of(const surrogate_series &series, hsize_t frames) {
    std::vector<hsize_t> shape(series.shape, series.shape + series.rank);
    shape[static_cast<std::size_t>(series.time_axis)] = frames;
    return shape;
}

bool is_field(const surrogate_series &series) {
    return series.time_axis == 1;
}

/// One frame, one trajectory; none are needed where nothing is compressed and none were asked for.
std::vector<hsize_t> chunk_of(const surrogate_series &series, const surrogate_recorder_header &header) {
    const bool asked = header.chunk[0] || header.chunk[1] || header.chunk[2];
    if (!is_field(series) || (header.compression == 0 && !asked))
        return {};
    std::vector<hsize_t> chunk = shape_of(series, 1);
    chunk[0] = 1;
    for (int k = 0; k < header.spatial_rank; ++k)
        if (header.chunk[k] > 0)
            chunk[static_cast<std::size_t>(2 + k)] = static_cast<hsize_t>(std::min(header.chunk[k], header.shape[k]));
    return chunk;
}

std::size_t block_bytes(const surrogate_series &series) {
    std::size_t bytes = series.type == SURROGATE_FLOAT32 ? 4 : 8;
    for (int k = 0; k < series.rank; ++k)
        bytes *= static_cast<std::size_t>(series.shape[k]);
    return bytes;
}

namespace {

Id space(const std::vector<hsize_t> &shape) {
    if (shape.empty())
        return Id(H5Screate(H5S_SCALAR), H5Sclose, "H5Screate");
    return Id(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose, "H5Screate_simple");
}

void attribute(hid_t object, const char *name, hid_t stored, hid_t given, const std::vector<hsize_t> &shape,
               const void *value) {
    const Id extent = space(shape);
    const Id made(H5Acreate2(object, name, stored, extent, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                  std::string("attribute ") + name);
    if (H5Sget_simple_extent_npoints(extent) > 0)
        check(H5Awrite(made, given, value), name);
}

Id text_type() {
    Id type(H5Tcopy(H5T_C_S1), H5Tclose, "H5Tcopy");
    check(H5Tset_size(type, H5T_VARIABLE), "H5Tset_size");
    check(H5Tset_cset(type, H5T_CSET_UTF8), "H5Tset_cset");
    return type;
}

/// What h5py reads as numpy.bool_.
Id bool_type() {
    Id type(H5Tenum_create(H5T_NATIVE_INT8), H5Tclose, "H5Tenum_create");
    const signed char no = 0, yes = 1;
    check(H5Tenum_insert(type, "FALSE", &no), "H5Tenum_insert");
    check(H5Tenum_insert(type, "TRUE", &yes), "H5Tenum_insert");
    return type;
}

void put_text(hid_t object, const char *name, const char *value) {
    const Id type = text_type();
    attribute(object, name, type, type, {}, &value);
}

void put_texts(hid_t object, const char *name, const std::vector<const char *> &values) {
    const Id type = text_type();
    attribute(object, name, type, type, {values.size()}, values.data());
}

void put_number(hid_t object, const char *name, double value) {
    attribute(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {}, &value);
}

void put_integer(hid_t object, const char *name, std::int64_t value) {
    attribute(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, {}, &value);
}

void put_bool(hid_t object, const char *name, bool value) {
    const Id type = bool_type();
    const signed char stored = value;
    attribute(object, name, type, type, {}, &stored);
}

Id group(hid_t file, const std::string &name) {
    return Id(H5Gcreate2(file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, "group " + name);
}

Id dataset(hid_t place, const char *name, hid_t stored, const std::vector<hsize_t> &shape, hid_t given,
           const void *data) {
    const Id extent = space(shape);
    Id made(H5Dcreate2(place, name, stored, extent, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose,
            std::string("dataset ") + name);
    check(H5Dwrite(made, given, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), name);
    return made;
}

const char *axis_name(const surrogate_recorder_header &header, int axis) {
    static const char *const NAMES[3] = {"z", "y", "x"};
    return NAMES[3 - header.spatial_rank + axis];
}

const char *boundary_name(int boundary) {
    return boundary == SURROGATE_BOUNDARY_PERIODIC ? "PERIODIC" : boundary == SURROGATE_BOUNDARY_WALL ? "WALL" : "OPEN";
}

void set_storage(hid_t properties, const surrogate_series &series, const surrogate_recorder_header &header,
                 Storage storage) {
    if (storage == Storage::placed) {
        check(H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY), "H5Pset_alloc_time");
        check(H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER), "H5Pset_fill_time");
        return;
    }
    const std::vector<hsize_t> chunk = chunk_of(series, header);
    if (chunk.empty())
        return;
    check(H5Pset_chunk(properties, series.rank, chunk.data()), "H5Pset_chunk");
    if (header.compression > 0) {
        check(H5Pset_shuffle(properties), "H5Pset_shuffle");
        check(H5Pset_deflate(properties, static_cast<unsigned>(header.compression)), "H5Pset_deflate");
    }
}

std::string escaped(const std::string &folder) { // '%' begins a place holder
    std::string out;
    for (const char c : folder)
        out += c == '%' ? std::string("%%") : std::string(1, c);
    return out;
}

/// Block b of the dataset is the whole dataset of the file b.h5, for as many files as follow one another.
Id map_blocks(hid_t properties, const surrogate_series &series, const std::string &folder) {
    const auto rank = static_cast<std::size_t>(series.rank), time = static_cast<std::size_t>(series.time_axis);
    const std::vector<hsize_t> block = shape_of(series, 1), start(rank, 0);
    std::vector<hsize_t> most = block, count(rank, 1);
    most[time] = count[time] = H5S_UNLIMITED;
    Id whole(H5Screate_simple(series.rank, block.data(), most.data()), H5Sclose, "H5Screate_simple");
    const Id part = space(block);
    check(H5Sselect_hyperslab(whole, H5S_SELECT_SET, start.data(), block.data(), count.data(), block.data()),
          "H5Sselect_hyperslab");
    check(H5Pset_virtual(properties, whole, (escaped(folder) + "/%b.h5").c_str(), dataset_path(series).c_str(), part),
          "H5Pset_virtual");
    return whole;
}

void describe_series(hid_t dataset, const surrogate_series &series, const surrogate_recorder_header &header) {
    if (series.unit)
        put_text(dataset, "units", series.unit);
    put_bool(dataset, "sample_varying", is_field(series));
    put_bool(dataset, "time_varying", true);
    if (!is_field(series))
        return;
    const Id type = bool_type();
    const signed char all[3] = {1, 1, 1};
    attribute(dataset, "dim_varying", type, type, {static_cast<hsize_t>(header.spatial_rank)}, all);
    if (std::strcmp(series.group, "t2_fields") == 0) {
        put_bool(dataset, "symmetric", false);
        put_bool(dataset, "antisymmetric", false);
    }
}

void write_coordinates(hid_t place, const surrogate_recorder_header &header) {
    std::vector<const char *> names;
    for (int k = 0; k < header.spatial_rank; ++k) {
        names.push_back(axis_name(header, k));
        std::vector<double> values(static_cast<std::size_t>(header.shape[k]));
        const double step = header.spacing[k] > 0 ? header.spacing[k] : 1.0;
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = header.origin[k] + step * static_cast<double>(i);
        const Id made = dataset(place, names.back(), H5T_IEEE_F64LE, {values.size()}, H5T_NATIVE_DOUBLE, values.data());
        put_text(made, "units", header.spacing[k] > 0 ? header.length_unit : "1");
        put_bool(made, "sample_varying", false);
        put_bool(made, "time_varying", false);
    }
    put_texts(place, "spatial_dims", names);
}

void write_boundaries(hid_t file, const surrogate_recorder_header &header) {
    const Id all = group(file, "boundary_conditions");
    for (int k = 0; k < header.spatial_rank; ++k) {
        if (header.boundary[k] == 0)
            continue;
        const std::string axis = axis_name(header, k);
        const Id one = group(all, axis + "_boundary");
        put_texts(one, "associated_dims", {axis.c_str()});
        put_texts(one, "associated_fields", {});
        put_text(one, "bc_type", boundary_name(header.boundary[k]));
        put_bool(one, "sample_varying", false);
        put_bool(one, "time_varying", false);
        std::vector<signed char> mask(static_cast<std::size_t>(header.shape[k]), 0);
        mask.front() = mask.back() = 1;
        const Id type = bool_type();
        dataset(one, "mask", type, {mask.size()}, type, mask.data());
    }
}

std::vector<const char *> names_in(const Layout &layout, const std::string &group) {
    std::vector<const char *> names;
    for (std::size_t i = 0; i < layout.count; ++i)
        if (group == layout.series[i].group)
            names.push_back(layout.series[i].name);
    return names;
}

void write_scalars(hid_t place, const Layout &layout) {
    const surrogate_recorder_header &header = layout.header;
    std::vector<const char *> names(header.parameter_names, header.parameter_names + header.parameter_count);
    for (std::size_t i = 0; i < header.parameter_count; ++i) {
        const Id made = dataset(place, names[i], H5T_IEEE_F64LE, {}, H5T_NATIVE_DOUBLE, &header.parameter_values[i]);
        put_bool(made, "sample_varying", false);
        put_bool(made, "time_varying", false);
    }
    for (const char *name : names_in(layout, "scalars"))
        names.push_back(name);
    put_texts(place, "field_names", names);
}

void write_attributes(hid_t file, const surrogate_recorder_header &header) {
    put_text(file, "dataset_name", header.name);
    put_text(file, "grid_type", "cartesian");
    put_integer(file, "n_spatial_dims", header.spatial_rank);
    put_integer(file, "n_trajectories", header.trajectories);
    put_texts(file, "simulation_parameters", {header.parameter_names, header.parameter_names + header.parameter_count});
    if (header.description)
        put_text(file, "description", header.description);
    if (header.trajectory >= 0)
        put_integer(file, "trajectory", header.trajectory);
    attribute(file, "seed", H5T_STD_U64LE, H5T_NATIVE_UINT64, {}, &header.seed);
    for (std::size_t i = 0; i < header.attribute_count; ++i)
        put_text(file, header.attributes[2 * i], header.attributes[2 * i + 1]);
    for (std::size_t i = 0; i < header.parameter_count; ++i) // every parameter stands in `scalars`, whatever its name
        if (H5Aexists(file, header.parameter_names[i]) <= 0)
            put_number(file, header.parameter_names[i], header.parameter_values[i]);
}

} // namespace

void create_series(hid_t file, const Layout &layout, Storage storage, hsize_t frames, const std::string &folder) {
    for (const char *name : {"dimensions", "scalars", "t0_fields", "t1_fields", "t2_fields"})
        group(file, name);
    for (std::size_t i = 0; i < layout.count; ++i) {
        const surrogate_series &series = layout.series[i];
        const Id properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "H5Pcreate");
        const bool view = storage == Storage::virtual_;
        if (!view)
            set_storage(properties, series, layout.header, storage);
        const Id extent = view ? map_blocks(properties, series, folder) : space(shape_of(series, frames));
        const Id made(H5Dcreate2(file, dataset_path(series).c_str(), file_type(series.type), extent, H5P_DEFAULT,
                                 properties, H5P_DEFAULT),
                      H5Dclose, "dataset " + dataset_path(series));
        describe_series(made, series, layout.header);
    }
}

void write_header(hid_t file, const Layout &layout) {
    write_attributes(file, layout.header);
    write_boundaries(file, layout.header);
    const auto open = [&](const char *name) { return Id(H5Gopen2(file, name, H5P_DEFAULT), H5Gclose, name); };
    write_coordinates(open("dimensions"), layout.header);
    write_scalars(open("scalars"), layout);
    for (const char *name : {"t0_fields", "t1_fields", "t2_fields"})
        put_texts(open(name), "field_names", names_in(layout, name));
}

} // namespace recorder
