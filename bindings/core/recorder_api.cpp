// The public functions of the recorder.  Handles are looked up, so that a closed one is told from an open one.
#include "recorder.h"
#include "versioned.h"

#include <cmath>
#include <map>
#include <memory>

using namespace surrogate::core;

namespace {

using Shared = std::shared_ptr<Recorder>;

struct Handles {
    std::mutex mutex;
    std::map<const surrogate_recorder *, Shared> open;
};

Handles &handles() {
    static Handles *const all = new Handles; // never destroyed: a solver may close in a destructor of its own
    return *all;
}

Shared opened(const surrogate_recorder *handle) {
    if (!handle)
        fail(SURROGATE_ERROR_ARGUMENT,
             "recorder is NULL; was surrogate_recorder_open called, and did it return SURROGATE_OK?");
    Handles &all = handles();
    const std::lock_guard<std::mutex> lock(all.mutex);
    const auto found = all.open.find(handle);
    if (found == all.open.end())
        fail(SURROGATE_ERROR_ARGUMENT, "recorder is not an open recorder; was it closed already?");
    return found->second;
}

std::string stem_of(const std::string &path) {
    const std::string file = path.substr(path.rfind('/') + 1);
    return file.substr(0, file.rfind('.'));
}

void check_options(const surrogate_recorder_options &o) {
    if (o.precision != 0 && o.precision != SURROGATE_FLOAT32 && o.precision != SURROGATE_FLOAT64)
        fail(SURROGATE_ERROR_ARGUMENT, "options.precision ", o.precision,
             " given, expected 0 (as given), SURROGATE_FLOAT32 (1) or SURROGATE_FLOAT64 (2)");
    if (o.compression < 0 || o.compression > 9)
        fail(SURROGATE_ERROR_ARGUMENT, "options.compression ", o.compression, " given, expected 0 to 9");
    if (o.parameter_count > 0 && (!o.parameter_names || !o.parameter_values))
        fail(SURROGATE_ERROR_ARGUMENT, "options.parameter_count is ", o.parameter_count,
             ", but parameter_names or parameter_values is NULL");
    for (int k = 0; k < 3; ++k) {
        if (!(o.spacing[k] >= 0) || !std::isfinite(o.spacing[k]) || !std::isfinite(o.origin[k]))
            fail(SURROGATE_ERROR_ARGUMENT, "options.spacing[", k, "] ", o.spacing[k], " and origin ", o.origin[k],
                 " given, expected finite numbers and a spacing of 0 (not known) or more");
        if (o.boundary[k] < 0 || o.boundary[k] > SURROGATE_BOUNDARY_OPEN)
            fail(SURROGATE_ERROR_ARGUMENT, "options.boundary[", k, "] ", o.boundary[k],
                 " given, expected 0 (not known) or a value of enum surrogate_boundary");
        if (o.chunk[k] < 0)
            fail(SURROGATE_ERROR_ARGUMENT, "options.chunk[", k, "] ", o.chunk[k], " given, expected 0 or more");
    }
}

RecorderOptions read_options(const char *path, const surrogate_recorder_options *given) {
    surrogate_recorder_options o;
    surrogate_recorder_options_init(&o, sizeof o);
    if (given)
        o = read_versioned(given, o, "options", "call surrogate_recorder_options_init first");
    check_options(o);
    RecorderOptions options;
    const auto or_preset = [](const char *value, const std::string &preset) { return value ? value : preset; };
    options.name = or_preset(o.name, stem_of(path));
    options.description = or_preset(o.description, "");
    options.time_unit = or_preset(o.time_unit, "1");
    options.length_unit = or_preset(o.length_unit, "1");
    options.plugin_path = or_preset(o.plugin_path, "");
    std::copy(o.spacing, o.spacing + 3, options.spacing);
    std::copy(o.origin, o.origin + 3, options.origin);
    std::copy(o.boundary, o.boundary + 3, options.boundary);
    std::copy(o.chunk, o.chunk + 3, options.chunk);
    for (std::size_t i = 0; i < o.parameter_count; ++i) {
        const char *name = o.parameter_names[i];
        if (!name || !*name || std::strchr(name, '/'))
            fail(SURROGATE_ERROR_ARGUMENT, "options.parameter_names[", i, "] is '", name ? name : "(NULL)",
                 "', expected a name without '/'");
        if (std::find(options.parameter_names.begin(), options.parameter_names.end(), name) !=
            options.parameter_names.end())
            fail(SURROGATE_ERROR_ARGUMENT, "options.parameter_names: '", name, "' is given twice");
        options.parameter_names.push_back(name);
        options.parameter_values.push_back(o.parameter_values[i]);
    }
    options.trajectory = o.trajectory;
    options.seed = o.seed;
    options.precision = o.precision;
    options.compression = o.compression;
    options.overwrite = o.overwrite != 0;
    return options;
}

} // namespace

extern "C" {

void surrogate_recorder_options_init(surrogate_recorder_options *options, size_t size) {
    surrogate_recorder_options defaults{};
    defaults.trajectory = -1;
    init_versioned(options, size, defaults);
}

int surrogate_recorder_open(surrogate_recorder **recorder, const char *path,
                            const surrogate_recorder_options *options) {
    return guarded("surrogate_recorder_open", [&] {
        if (!recorder)
            fail(SURROGATE_ERROR_ARGUMENT, "recorder is NULL, expected the address of a surrogate_recorder pointer");
        *recorder = nullptr;
        if (!path || !*path)
            fail(SURROGATE_ERROR_ARGUMENT, "path is ", path ? "empty" : "NULL",
                 ", expected the name of a file, run.h5");
        auto made = std::make_shared<Recorder>(path, read_options(path, options));
        const auto handle = reinterpret_cast<surrogate_recorder *>(made.get()); // a name, never followed
        Handles &all = handles();
        const std::lock_guard<std::mutex> lock(all.mutex);
        all.open.emplace(handle, std::move(made));
        *recorder = handle;
        return SURROGATE_OK;
    });
}

int surrogate_recorder_write(surrogate_recorder *recorder, double time, const surrogate_field *fields, size_t count) {
    return guarded("surrogate_recorder_write", [&] {
        opened(recorder)->write(time, fields, count);
        return SURROGATE_OK;
    });
}

int surrogate_recorder_lay_out(surrogate_recorder *recorder, const char **path, uint64_t *offsets, double time,
                               const surrogate_field *fields, size_t count) {
    return guarded("surrogate_recorder_lay_out", [&] {
        const Shared laying = opened(recorder);
        if (!path || !offsets)
            fail(SURROGATE_ERROR_ARGUMENT, path ? "offsets" : "path", " is NULL, expected the address of what to fill");
        *path = laying->lay_out(time, fields, count, offsets);
        return SURROGATE_OK;
    });
}

int surrogate_recorder_settle(surrogate_recorder *recorder, int keep) {
    return guarded("surrogate_recorder_settle", [&] {
        opened(recorder)->settle(keep != 0);
        return SURROGATE_OK;
    });
}

int surrogate_recorder_pack(void *block, size_t *size, const surrogate_field *field, int dtype) {
    return guarded("surrogate_recorder_pack", [&] {
        if (!size || !field)
            fail(SURROGATE_ERROR_ARGUMENT, size ? "field" : "size", " is NULL");
        if (dtype != SURROGATE_FLOAT32 && dtype != SURROGATE_FLOAT64)
            fail(SURROGATE_ERROR_DTYPE, "dtype ", dtype,
                 " given, expected SURROGATE_FLOAT32 (1) or SURROGATE_FLOAT64 (2)");
        grid_of(*field); // its checks
        const std::size_t bytes = dense_bytes(*field, dtype);
        if (block && *size < bytes)
            fail(SURROGATE_ERROR_ARGUMENT, "a block of ", *size, " bytes given, expected ", bytes);
        *size = bytes;
        if (block)
            fill_block(static_cast<char *>(block), dtype, *field);
        return SURROGATE_OK;
    });
}

int surrogate_recorder_close(surrogate_recorder *recorder) {
    if (!recorder)
        return SURROGATE_OK;
    return guarded("surrogate_recorder_close", [&] {
        const Shared last = opened(recorder);
        {
            Handles &all = handles();
            const std::lock_guard<std::mutex> lock(all.mutex);
            all.open.erase(recorder);
        }
        last->close();
        return SURROGATE_OK;
    });
}

} // extern "C"
