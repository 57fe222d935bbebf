/* plugin.h - the C interface between libsurrogate and the recorder's plugin, libsurrogate_recorder.so, the one library
 * of ours that links HDF5.  Not the user's API.
 *
 * libsurrogate finds it as it finds engines, opens it with dlopen(RTLD_NOW | RTLD_LOCAL) at the first
 * surrogate_recorder_open, and never closes it: HDF5 is no part of a process that records nothing.
 * The plugin packs nothing and decides nothing: it gets dense blocks in the file's precision and puts them on disk.
 * Rules: it never throws across this interface, never exits or prints. */
#ifndef SURROGATE_RECORDER_PLUGIN_H
#define SURROGATE_RECORDER_PLUGIN_H

#include "../engines/engine.h" /* surrogate_engine_error */

#ifdef __cplusplus
extern "C" {
#endif

#define SURROGATE_RECORDER_ABI 2
#define SURROGATE_SERIES_MAX_RANK 8

/* Type of a series in memory and in the file; the first two are enum surrogate_dtype. */
enum surrogate_series_type { SURROGATE_SERIES_INT64 = 3, SURROGATE_SERIES_UINT64 = 4 };

/* One dataset that grows by one entry a frame: a field (trajectories, time, ..., components), a scalar (time), the
 * time itself. */
typedef struct surrogate_series {
    const char *group; /* "t0_fields", "t1_fields", "t2_fields", "scalars", "dimensions" */
    const char *name;
    const char *unit; /* may be NULL */
    int32_t type;     /* enum surrogate_dtype or surrogate_series_type */
    int32_t rank;
    int32_t time_axis;
    int64_t shape[SURROGATE_SERIES_MAX_RANK]; /* of one frame's block: 1 along time_axis */
    const void *data;                         /* the block, dense; NULL where only the description is asked for */
} surrogate_series;

/* What does not change from frame to frame. */
typedef struct surrogate_recorder_header {
    const char *name;        /* @dataset_name */
    const char *description; /* NULL: none */
    const char *time_unit;
    const char *length_unit;
    int32_t spatial_rank;
    int64_t shape[3]; /* cells, slowest axis first */
    int64_t trajectories;
    double spacing[3], origin[3]; /* spacing 0: coordinates count cells */
    int32_t boundary[3];          /* enum surrogate_boundary; 0: not known */
    const char *const *parameter_names;
    const double *parameter_values;
    size_t parameter_count;
    int64_t trajectory; /* -1: none */
    uint64_t seed;
    const char *const *attributes; /* pairs of a name and a text */
    size_t attribute_count;        /* number of pairs */
    int32_t compression;           /* deflate level, 0..9 */
    int64_t chunk[3];              /* cells; 0: the whole axis */
} surrogate_recorder_header;

typedef struct surrogate_recorder_writer surrogate_recorder_writer;

/* Status: 0, or SURROGATE_ERROR_* with the error's text filled. */
typedef struct surrogate_recorder_plugin {
    uint32_t abi;
    const char *version; /* "HDF5 1.10.8" */
    /* Reserve `path`; no file appears under it before the first frame. */
    int (*create)(surrogate_recorder_writer **writer, const char *path, int32_t overwrite,
                  surrogate_engine_error *error);
    /* Add one frame.  OK: it survives the end of the process.  Else the recording is as it was before the call. */
    int (*append)(surrogate_recorder_writer *writer, const surrogate_recorder_header *header,
                  const surrogate_series *series, size_t count, surrogate_engine_error *error);
    /* Make the next frame's file, complete but for the series whose data is NULL: these are dense, in the machine's own
     * bytes, from byte offsets[i] of *path on, and whoever can write to that file fills them.  *path lives until
     * settle.  Else the recording is as it was before the call. */
    int (*lay_out)(surrogate_recorder_writer *writer, const surrogate_recorder_header *header,
                   const surrogate_series *series, size_t count, uint64_t *offsets, const char **path,
                   surrogate_engine_error *error);
    /* Add the frame that was laid out, or drop it; series as lay_out got them.  As append; whatever is returned, none
     * is laid out any more. */
    int (*settle)(surrogate_recorder_writer *writer, const surrogate_recorder_header *header,
                  const surrogate_series *series, size_t count, int32_t keep, surrogate_engine_error *error);
    /* Join the frames in one plain file and free the writer; if that fails the frames stay where they are. */
    int (*finish)(surrogate_recorder_writer *writer, const surrogate_recorder_header *header,
                  const surrogate_series *series, size_t count, surrogate_engine_error *error);
} surrogate_recorder_plugin;

/* The plugin's only symbol.  Non-zero: it cannot work in this process, with the reason in `error`. */
typedef int (*surrogate_recorder_entry_function)(const surrogate_recorder_plugin **plugin, uint32_t abi,
                                                 surrogate_engine_error *error);

#ifdef __cplusplus
}
#endif
#endif
