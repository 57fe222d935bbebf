// A recording on its way to disk.
//
// Every frame is a file of its own, PATH.frames/<number>.h5, built in memory and renamed into place when it is
// complete; PATH itself, written with the first frame, is a virtual dataset over as many of those files as there are.
// So a frame whose write returned needs nothing of this process any more: kill -9 cannot take it back, and any HDF5
// reader finds it under PATH at once, without special flags and without waiting for the writer.  (SWMR was not chosen:
// after a kill the file's "open for writing" mark keeps ordinary readers out, and a disk that fills up in the middle of
// a metadata flush takes the older frames with it.)  HDF5 never touches the disk while the solver runs, so a full disk
// is an errno of write(), not a library that cannot close its file.
// finish() joins the frames in one plain file, which replaces PATH by a rename; then the folder goes.
#include "disk.hpp"
#include "layout.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <mutex>
#include <unistd.h>

struct surrogate_recorder_writer {
    std::string path;
    std::uint64_t frames = 0;

    std::string folder() const { return path + ".frames"; }
    std::string frame(std::uint64_t number) const { return folder() + "/" + std::to_string(number) + ".h5"; }
    /// The folder as the virtual dataset names it: beside PATH, so that both can be moved together.
    std::string folder_name() const {
        const auto slash = path.rfind('/');
        return (slash == std::string::npos ? path : path.substr(slash + 1)) + ".frames";
    }
};

namespace recorder {

namespace {

std::mutex hdf5; // a serial HDF5 takes one call at a time

Id access(bool in_memory) {
    Id list(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "H5Pcreate");
    if (in_memory)
        check(H5Pset_fapl_core(list, std::size_t{1} << 20, false), "H5Pset_fapl_core");
    return list;
}

/// The bytes of an HDF5 file that `fill` fills; no file is touched.
template <class Fill> std::vector<char> image_of(Fill fill) {
    const Id list = access(true);
    const Id file(H5Fcreate("surrogate-recorder", H5F_ACC_TRUNC, H5P_DEFAULT, list), H5Fclose, "H5Fcreate in memory");
    fill(file);
    check(H5Fflush(file, H5F_SCOPE_LOCAL), "H5Fflush");
    const ssize_t size = H5Fget_file_image(file, nullptr, 0);
    if (size < 0)
        fail_hdf5("H5Fget_file_image");
    std::vector<char> bytes(static_cast<std::size_t>(size));
    if (H5Fget_file_image(file, bytes.data(), bytes.size()) < 0)
        fail_hdf5("H5Fget_file_image");
    return bytes;
}

Id open_series(hid_t file, const surrogate_series &series) {
    const std::string path = dataset_path(series);
    return Id(H5Dopen2(file, path.c_str(), H5P_DEFAULT), H5Dclose, "opening " + path);
}

std::vector<char> frame_image(const Layout &layout) {
    return image_of([&](hid_t file) {
        create_series(file, layout, Storage::whole, 1, "");
        for (std::size_t i = 0; i < layout.count; ++i) {
            const surrogate_series &series = layout.series[i];
            const Id target = open_series(file, series);
            check(H5Dwrite(target, memory_type(series.type), H5S_ALL, H5S_ALL, H5P_DEFAULT, series.data), "H5Dwrite");
        }
    });
}

std::vector<char> index_image(const surrogate_recorder_writer &writer, const Layout &layout) {
    return image_of([&](hid_t file) {
        create_series(file, layout, Storage::virtual_, 0, writer.folder_name());
        write_header(file, layout);
    });
}

void append_frame(surrogate_recorder_writer &writer, const Layout &layout) {
    const std::vector<char> frame = frame_image(layout);
    const std::string path = writer.frame(writer.frames);
    publish(path, frame.data(), frame.size());
    if (writer.frames == 0) {
        try {
            const std::vector<char> index = index_image(writer, layout);
            publish(writer.path, index.data(), index.size());
        } catch (...) {
            ::unlink(path.c_str());
            throw;
        }
    }
    ++writer.frames;
}

void copy_frame(hid_t whole, const surrogate_recorder_writer &writer, const Layout &layout, std::uint64_t number,
                std::vector<char> &block) {
    const Id list = access(false);
    const Id file(H5Fopen(writer.frame(number).c_str(), H5F_ACC_RDONLY, list), H5Fclose,
                  "opening " + writer.frame(number));
    for (std::size_t i = 0; i < layout.count; ++i) {
        const surrogate_series &series = layout.series[i];
        const hid_t type = memory_type(series.type);
        block.resize(block_bytes(series));
        const Id source = open_series(file, series), target = open_series(whole, series);
        check(H5Dread(source, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, block.data()), "H5Dread");
        std::vector<hsize_t> start(static_cast<std::size_t>(series.rank), 0);
        const std::vector<hsize_t> count(series.shape, series.shape + series.rank);
        start[static_cast<std::size_t>(series.time_axis)] = number;
        const Id place(H5Dget_space(target), H5Sclose, "H5Dget_space");
        const Id memory(H5Screate_simple(series.rank, count.data(), nullptr), H5Sclose, "H5Screate_simple");
        check(H5Sselect_hyperslab(place, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
              "H5Sselect_hyperslab");
        check(H5Dwrite(target, type, memory, place, H5P_DEFAULT, block.data()), "H5Dwrite");
    }
}

/// No less than the joined file can need: every frame's file holds the same blocks and an index of its own.
std::uint64_t joined_bytes(const surrogate_recorder_writer &writer, const Layout &layout) {
    std::uint64_t bytes = (std::uint64_t{1} << 16) + index_image(writer, layout).size();
    for (std::uint64_t number = 0; number < writer.frames; ++number)
        bytes += file_size(writer.frame(number));
    return bytes;
}

void join(const surrogate_recorder_writer &writer, const Layout &layout) {
    const std::string partial = writer.folder() + "/joined.partial";
    publish(partial, "", 0);
    reserve(partial, joined_bytes(writer, layout));
    {
        const Id list = access(false);
        Id file(H5Fcreate(partial.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, list), H5Fclose, "creating " + partial);
        create_series(file, layout, Storage::whole, writer.frames, "");
        write_header(file, layout);
        reserve(partial, joined_bytes(writer, layout)); // creating the file gave the first reservation back
        std::vector<char> block;
        for (std::uint64_t number = 0; number < writer.frames; ++number)
            copy_frame(file, writer, layout, number, block);
        file.close("closing the joined file");
    }
    if (::truncate(partial.c_str(), static_cast<off_t>(file_size(partial))) != 0) // what was reserved and not used
        fail_disk("cannot trim " + partial, errno);
    rename_file(partial, writer.path);
}

/// Run `body` under the lock, with HDF5 silent, as a function of the plugin.
template <class Body> int guarded(surrogate_engine_error *error, Body body) noexcept {
    const auto tell = [&](const char *text) {
        if (error && error->text && error->size)
            std::snprintf(error->text, error->size, "%s", text);
    };
    try {
        const std::lock_guard<std::mutex> lock(hdf5);
        const Silence silence;
        body();
        return SURROGATE_OK;
    } catch (const Failure &failure) {
        tell(failure.what());
        return failure.status;
    } catch (const std::bad_alloc &) {
        tell("no memory for a frame");
        return SURROGATE_ERROR_MEMORY;
    } catch (const std::exception &failure) {
        tell(failure.what());
    } catch (...) {
        tell("an exception of unknown type");
    }
    return SURROGATE_ERROR_INTERNAL;
}

/// PATH is taken if a finished recording stands there, or if another recorder is at work (its folder is there).
void claim(const surrogate_recorder_writer &writer, bool overwrite) {
    if (overwrite) {
        remove_frames(writer.folder());
        if (exists(writer.path) && ::unlink(writer.path.c_str()) != 0)
            fail_disk("cannot replace " + writer.path, errno);
    } else if (exists(writer.path) || exists(writer.folder())) {
        throw Failure(SURROGATE_ERROR_ARGUMENT,
                      (exists(writer.path) ? writer.path : writer.folder()) +
                          " exists already; move it away, give another path (under MPI one a rank), or set "
                          "options.overwrite");
    }
    make_folder(writer.folder());
}

int create(surrogate_recorder_writer **writer, const char *path, int32_t overwrite, surrogate_engine_error *error) {
    return guarded(error, [&] {
        auto made = std::make_unique<surrogate_recorder_writer>();
        made->path = absolute(path);
        claim(*made, overwrite != 0);
        *writer = made.release();
    });
}

int append(surrogate_recorder_writer *writer, const surrogate_recorder_header *header, const surrogate_series *series,
           size_t count, surrogate_engine_error *error) {
    return guarded(error, [&] { append_frame(*writer, Layout{*header, series, count}); });
}

int finish(surrogate_recorder_writer *given, const surrogate_recorder_header *header, const surrogate_series *series,
           size_t count, surrogate_engine_error *error) {
    const std::unique_ptr<surrogate_recorder_writer> writer(given);
    return guarded(error, [&] {
        if (writer->frames > 0) {
            try {
                join(*writer, Layout{*header, series, count});
            } catch (const Failure &failure) {
                ::unlink((writer->folder() + "/joined.partial").c_str());
                throw Failure(failure.status, std::string(failure.what()) + "; all " + std::to_string(writer->frames) +
                                                  " frames stay readable as " + writer->path + " with its folder " +
                                                  writer->folder());
            }
        }
        remove_frames(writer->folder());
    });
}

std::string version_text(unsigned major, unsigned minor, unsigned release) {
    return "HDF5 " + std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release);
}

/// HDF5 ends the process when its headers are of another version than itself: find that out before it does.
const std::string &checked_version() {
    static const std::string compiled = version_text(H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE);
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    if (const std::string loaded = version_text(major, minor, release); loaded != compiled)
        throw Failure(SURROGATE_ERROR_ENGINE, "it was compiled with " + compiled + ", but the program has loaded " +
                                                  loaded + "; build the recorder against that one");
    return compiled;
}

int enter(const surrogate_recorder_plugin **plugin, uint32_t abi, surrogate_engine_error *error) {
    return guarded(error, [&] {
        if (abi != SURROGATE_RECORDER_ABI)
            throw Failure(SURROGATE_ERROR_ENGINE, "it was built for another version of libsurrogate; build it again");
        static const surrogate_recorder_plugin table = {SURROGATE_RECORDER_ABI, checked_version().c_str(), create,
                                                        append, finish};
        *plugin = &table;
    });
}

} // namespace

} // namespace recorder

extern "C" __attribute__((visibility("default"))) int
surrogate_recorder_entry(const surrogate_recorder_plugin **plugin, uint32_t abi, surrogate_engine_error *error) {
    return recorder::enter(plugin, abi, error);
}
