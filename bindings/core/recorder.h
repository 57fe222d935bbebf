// A recording: what surrogate_recorder and record_calls write.
#pragma once

#include "recorder_fields.h"
#include "recorder_plugin.h"

#include <mutex>
#include <string>
#include <vector>

namespace surrogate::core {

/// surrogate_recorder_options with its strings owned.
struct RecorderOptions {
    std::string name, description, time_unit = "1", length_unit = "1", plugin_path;
    double spacing[3] = {}, origin[3] = {};
    int boundary[3] = {};
    std::vector<std::string> parameter_names;
    std::vector<double> parameter_values;
    std::int64_t trajectory = -1;
    std::uint64_t seed = 0;
    int precision = 0, compression = 0;
    std::int64_t chunk[3] = {};
    bool overwrite = false;
    std::vector<std::string> attributes; // name, text, name, text, ...
    bool any_time = false;               // times need not be finite or increase
};

/// One number that is stored with a frame, besides its time.
struct RecordedScalar {
    enum Type { REAL = SURROGATE_FLOAT64, INTEGER = SURROGATE_SERIES_INT64, COUNT = SURROGATE_SERIES_UINT64 };
    const char *name;
    Type type;
    union {
        double real;
        std::int64_t integer;
        std::uint64_t count;
    };
};

class Recorder {
  public:
    Recorder(const char *path, RecorderOptions options);
    Recorder(const Recorder &) = delete;
    Recorder &operator=(const Recorder &) = delete;
    ~Recorder();

    /// Add a frame: stage_time, stage each part of the fields, commit.
    void write(double time, const surrogate_field *fields, std::size_t count);

    /// Lay out a frame that others fill: `fields` describe it, and their data are not read. offsets[i]: where field i
    /// begins in the file that is returned, which lives until settle.
    const char *lay_out(double time, const surrogate_field *fields, std::size_t count, std::uint64_t *offsets);
    /// Add that frame, or drop it.
    void settle(bool keep);

    /// Copy fields into the frame at hand, as its fields `first`, `first` + 1, ...; the caller's memory is free after
    /// it.
    void stage(std::size_t first, const surrogate_field *fields, std::size_t count);
    /// Store what was staged: `count` fields in all.
    void commit(double time, std::size_t count, const std::vector<RecordedScalar> &scalars);

    /// Join the frames. The recorder takes no frames afterwards.
    void close();

  private:
    void check_open() const;
    void check_frame(double time, const surrogate_field *fields, std::size_t count) const;
    void check_time(double time) const;
    /// Describe field `at` of the frame at hand, or check it against the first frame's.
    RecordedSeries &stage_field(std::size_t at, const surrogate_field &field);
    surrogate_recorder_header header();
    void describe(bool data);
    void stage_scalars(double time, const std::vector<RecordedScalar> &scalars);

    std::mutex mutex_;
    const RecorderOptions options_;
    std::vector<const char *> parameter_names_, attributes_;
    const surrogate_recorder_plugin &plugin_;
    surrogate_recorder_writer *writer_ = nullptr;
    RecordedGrid grid_;
    std::vector<RecordedSeries> fields_, scalars_; // of the first frame; scalars_[0] is the time
    std::vector<surrogate_series> views_;          // both as the plugin takes them, since the last commit
    bool fixed_ = false;                           // a frame is stored: the kinds of its fields stand
    double last_time_ = 0;
    bool laid_out_ = false; // a frame of laid_time_ waits for settle
    double laid_time_ = 0;
};

} // namespace surrogate::core
