// The steps of a recording: frames on their way into files of their own, and from there into one.
#pragma once

#include "layout.hpp"

#include <cstdint>
#include <string>
#include <vector>

struct surrogate_recorder_writer {
    std::string path;
    std::uint64_t frames = 0;
    std::string partial; // the file of lay_frame, until settle_frame; "": none

    std::string folder() const { return path + ".frames"; }
    std::string frame(std::uint64_t number) const { return folder() + "/" + std::to_string(number) + ".h5"; }
    /// The folder as the virtual dataset names it: beside PATH, so that both can be moved together.
    std::string folder_name() const {
        const auto slash = path.rfind('/');
        return (slash == std::string::npos ? path : path.substr(slash + 1)) + ".frames";
    }
};

namespace recorder {

/// Add the frame that `layout` holds.
void append_frame(surrogate_recorder_writer &writer, const Layout &layout);

/// Make the next frame's file under a partial name, complete but for the datasets without data, whose space is
/// reserved: dataset i is dense from byte offsets[i] of the file on.
void lay_frame(surrogate_recorder_writer &writer, const Layout &layout, std::uint64_t *offsets);
/// Give that file its name, or remove it; in either case no frame is laid out any more.
void settle_frame(surrogate_recorder_writer &writer, const Layout &layout, bool keep);

/// One plain file of all frames in place of PATH.
void join(const surrogate_recorder_writer &writer, const Layout &layout);

/// The frame `writer.frames` has its name and counts; the first of them brings PATH. If that fails the frame is gone.
void admit_frame(surrogate_recorder_writer &writer, const Layout &layout);

/// The bytes of PATH before it is joined: a virtual dataset over all frames.
std::vector<char> index_image(const surrogate_recorder_writer &writer, const Layout &layout);

/// Fail where the joined file could not be laid out as `layout` asks.
void check_joinable(const Layout &layout);

Id file_access(bool in_memory);
Id open_series(hid_t file, const surrogate_series &series);
void write_series(hid_t file, const surrogate_series &series);

} // namespace recorder
