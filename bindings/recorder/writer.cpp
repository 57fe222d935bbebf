// A recording on its way to disk.
//
// Every frame is a file of its own, PATH.frames/<number>.h5, built in memory and renamed into place when it is
// complete; PATH itself, written with the first frame, is a virtual dataset over as many of those files as there are.
// So a frame whose write returned needs nothing of this process any more: kill -9 cannot take it back, and any HDF5
// reader finds it under PATH at once, without special flags and without waiting for the writer.  (SWMR was not chosen:
// after a kill the file's "open for writing" mark keeps ordinary readers out, and a disk that fills up in the middle of
// a metadata flush takes the older frames with it.)  HDF5 never touches the disk while the solver runs, so a full disk
// is an errno of write(), not a library that cannot close its file.
// A frame that several processes fill is a file on disk from the start, under a name that no reader looks at, with its
// space reserved (laid_out.cpp).
// finish() joins the frames in one plain file, which replaces PATH by a rename; then the folder goes.
#include "writer.hpp"
#include "disk.hpp"

#include <cstdio>
#include <memory>
#include <mutex>
#include <unistd.h>

namespace recorder {

namespace {

std::mutex hdf5; // a serial HDF5 takes one call at a time

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
        throw Failure(SURROGATE_ERROR_ARGUMENT, (exists(writer.path) ? writer.path : writer.folder()) +
                                                    " exists already; move it away, give another path (under MPI one a "
                                                    "rank, or use surrogate_mpi_recorder), or set "
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

int lay_out(surrogate_recorder_writer *writer, const surrogate_recorder_header *header, const surrogate_series *series,
            size_t count, std::uint64_t *offsets, const char **path, surrogate_engine_error *error) {
    return guarded(error, [&] {
        lay_frame(*writer, Layout{*header, series, count}, offsets);
        *path = writer->partial.c_str();
    });
}

int settle(surrogate_recorder_writer *writer, const surrogate_recorder_header *header, const surrogate_series *series,
           size_t count, int32_t keep, surrogate_engine_error *error) {
    return guarded(error, [&] { settle_frame(*writer, Layout{*header, series, count}, keep != 0); });
}

int finish(surrogate_recorder_writer *given, const surrogate_recorder_header *header, const surrogate_series *series,
           size_t count, surrogate_engine_error *error) {
    const std::unique_ptr<surrogate_recorder_writer> writer(given);
    return guarded(error, [&] {
        const Layout layout{*header, series, count};
        if (!writer->partial.empty())
            settle_frame(*writer, layout, false);
        if (writer->frames > 0) {
            try {
                join(*writer, layout);
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
        static const surrogate_recorder_plugin table = {
            SURROGATE_RECORDER_ABI, checked_version().c_str(), create, append, lay_out, settle, finish};
        *plugin = &table;
    });
}

} // namespace

} // namespace recorder

extern "C" __attribute__((visibility("default"))) int
surrogate_recorder_entry(const surrogate_recorder_plugin **plugin, uint32_t abi, surrogate_engine_error *error) {
    return recorder::enter(plugin, abi, error);
}
