/* surrogate.h - call a trained field-to-field model from inside a simulation.
 *
 * A solver hands over its state at time t1 and receives the state at t2 = t1 + time_step, in place of the many
 * solver steps between; or it is told that the frame cannot be trusted, and steps itself.
 *
 *     surrogate_model *m;
 *     if (surrogate_open(&m, "flow.surrogate", NULL) < 0) die(surrogate_last_error());
 *     switch (surrogate_predict(m, next, now, 5, NULL)) {
 *     case SURROGATE_OK:       swap(&now, &next);             break;
 *     case SURROGATE_REJECTED: solver_advance(u, time_step);  break;
 *     default:                 die(surrogate_last_error());
 *     }
 *     surrogate_close(m);
 *
 * This header needs no other header of ours and compiles as C99 and as C++.  Sections, in order of use:
 * 1 version, 2 outcomes and errors, 3 fields, 4 open and close, 5 predict, 6 what a model is, 7 statistics,
 * 8 verification.
 *
 * Rules that hold for every function
 * - It never exits, prints, throws, or changes the caller's floating-point environment, locale, signal handlers,
 *   OpenMP thread count or current CUDA device.
 * - Fallible functions return an int status (section 2).  Outputs come first in the argument list and are left
 *   untouched unless the status is SURROGATE_OK.
 * - Strings are UTF-8, end with NUL, and belong to the library unless said otherwise.
 * - Thread rule: different models may be used from different threads at the same time.  Calls on one model are
 *   serialised by the library; surrogate_close must be the last call on a model.
 * - Every options struct begins with struct_size and is filled by its _init function, which is told the size that
 *   the caller's header knows: a program compiled against an older header keeps working with a newer library.
 */
#ifndef SURROGATE_SURROGATE_H
#define SURROGATE_SURROGATE_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define SURROGATE_API __declspec(dllimport)
#elif defined(__GNUC__)
#define SURROGATE_API __attribute__((visibility("default")))
#else
#define SURROGATE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------ 1 version -- */

/* The one place where the version stands: CMake, pkg-config and the Python package read this line. */
#define SURROGATE_VERSION "0.1.0"

/* Version of the library that is loaded, for instance "0.1.0"; compare with SURROGATE_VERSION of the header. */
SURROGATE_API const char *surrogate_version(void);

/* --------------------------------------------------------------------------- 2 outcomes and errors -- */

/* Three outcomes, not two: zero, SURROGATE_REJECTED (positive), and errors (negative).
 * OK        the frame is written.
 * REJECTED  a guard refused the input or the predicted frame; the output is untouched; the solver steps itself.
 * ERROR_*   something broke; the output is untouched; the model can still be used unless said otherwise. */
enum surrogate_status {
    SURROGATE_OK = 0,
    SURROGATE_REJECTED = 1,
    SURROGATE_ERROR_ARGUMENT = -1,     /* NULL pointer, struct_size of no known version, value out of range */
    SURROGATE_ERROR_NOT_FOUND = -2,    /* the bundle or a file of it does not exist or cannot be read */
    SURROGATE_ERROR_CORRUPT = -3,      /* truncated file, hash mismatch, invalid manifest */
    SURROGATE_ERROR_SCHEMA = -4,       /* manifest written for a newer library */
    SURROGATE_ERROR_SHAPE = -5,        /* rank, shape or strides do not fit the grid rule or one another */
    SURROGATE_ERROR_DTYPE = -6,        /* dtype not supported, or fields of different dtypes */
    SURROGATE_ERROR_FIELD = -7,        /* field unknown, missing, named twice, or of another number of components */
    SURROGATE_ERROR_UNIT = -8,         /* unit given and different from the manifest's */
    SURROGATE_ERROR_OVERLAP = -9,      /* input and output share memory without being the same array */
    SURROGATE_ERROR_ENGINE = -10,      /* no engine for a program that fits: missing, of another version, cannot load */
    SURROGATE_ERROR_EXECUTION = -11,   /* the program failed while running */
    SURROGATE_ERROR_MEMORY = -12,      /* out of memory */
    SURROGATE_ERROR_UNSUPPORTED = -13, /* valid, but not implemented by this build; no program fits (surrogate_open) */
    SURROGATE_ERROR_PARAMETER = -14,   /* scalar parameters missing or outside their range; `step` missing */
    SURROGATE_ERROR_INTERNAL = -99     /* a defect of the library: please report the text */
};

/* Why a guard refused (surrogate_rejection.reason). */
enum surrogate_reason {
    SURROGATE_REASON_NONE = 0,
    SURROGATE_REASON_INPUT_NOT_FINITE = 1,
    SURROGATE_REASON_OUTPUT_NOT_FINITE = 2,
    SURROGATE_REASON_INPUT_OUT_OF_BOUNDS = 3,
    SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS = 4
};

/* Text of the calling thread's last REJECTED or ERROR: where, what was given, what was expected, what to do.
 * Never NULL; "" before the first.  Valid until the thread's next call into the library. */
SURROGATE_API const char *surrogate_last_error(void);

/* Name of a status or reason, for instance "SURROGATE_ERROR_SHAPE"; "unknown" for a number that is none. */
SURROGATE_API const char *surrogate_status_name(int status);
SURROGATE_API const char *surrogate_reason_name(int reason);

/* ------------------------------------------------------------------------------------------- 3 fields -- */

enum surrogate_dtype { SURROGATE_FLOAT32 = 1, SURROGATE_FLOAT64 = 2 };
enum surrogate_memory { SURROGATE_HOST = 0, SURROGATE_CUDA = 1 };

#define SURROGATE_MAX_RANK 6

/* One named array of the solver's state, described and never owned: the library reads or writes `data` during a
 * call and keeps no pointer afterwards (the struct itself and the strings are read during the call only).
 * Axes stand from slowest to fastest, as in C: a Fortran array u(nx,ny,nc) is shape {nc, ny, nx} on the same memory.
 * Strides are in BYTES, one per axis, any sign, so that slices, ghost cells and members of a record need no copy;
 * they and the address are multiples of the element's size. */
typedef struct surrogate_field {
    const char *name;       /* field name of the manifest; NULL: the fields stand in the manifest's order */
    const char *unit;       /* unit of the values; NULL: not checked; else must equal the manifest's */
    void *data;             /* address of element [0]...[0] of the region to read or write (no ghost cells) */
    int32_t dtype;          /* enum surrogate_dtype; the same for all fields of a call */
    int32_t memory;         /* enum surrogate_memory */
    int32_t device;         /* CUDA ordinal of `data` if memory is SURROGATE_CUDA */
    int32_t rank;           /* number of axes: spatial ones, plus component and batch axis if present */
    int32_t component_axis; /* which axis counts components; -1: none, one component */
    int32_t batch_axis;     /* which axis counts independent states; -1: none */
    int64_t shape[SURROGATE_MAX_RANK];
    int64_t strides[SURROGATE_MAX_RANK];
    void *reserved[2]; /* NULL, else SURROGATE_ERROR_ARGUMENT */
} surrogate_field;

/* Describe a dense host array: data[shape[0]]...[shape[rank-1]].  No component axis, no batch axis, no unit.
 * `field` and `shape` must not be NULL; rank is 1..SURROGATE_MAX_RANK (more axes are cut, and refused by predict). */
SURROGATE_API void surrogate_field_init(surrogate_field *field, const char *name, void *data, int dtype, int rank,
                                        const int64_t *shape);

/* Describe the interior of a dense host array with ghost cells.  `data` is the address of the WHOLE array, whose
 * axis k has shape[k] + 2*ghost[k] elements; `shape` is that of the interior, which alone is read or written. */
SURROGATE_API void surrogate_field_init_ghost(surrogate_field *field, const char *name, void *data, int dtype, int rank,
                                              const int64_t *shape, const int64_t *ghost);

/* ----------------------------------------------------------------------------------- 4 open and close -- */

typedef struct surrogate_model surrogate_model; /* opaque handle of an opened bundle */

enum surrogate_log_level { SURROGATE_LOG_INFO = 1, SURROGATE_LOG_WARNING = 2 };

/* Called by the library, on the thread that is inside a call, for things worth a line in the solver's log.
 * `text` is valid during the call only.  Must not call the library. */
typedef void (*surrogate_log_function)(void *user, int level, const char *text);

enum surrogate_verify_level {
    SURROGATE_VERIFY_HASHES = 0, /* check the SHA-256 of every file that is used (default) */
    SURROGATE_VERIFY_EXAMPLE = 1 /* and replay the example pair; a difference beyond its tolerance is an error */
};

/* How to open a bundle.  Strings are copied during open.  Initialise with surrogate_open_options_init. */
typedef struct surrogate_open_options {
    size_t struct_size;         /* sizeof(surrogate_open_options) */
    const char *engine;         /* "torch", "stub"; NULL or "auto": the first program of the bundle that can run */
    const char *program;        /* a program's name in the manifest; NULL or "auto": chosen by the library */
    const char *device;         /* "cpu", "cuda", "cuda:1"; NULL: "cpu" */
    const char *precision;      /* "fp32", "bf16", "fp16"; NULL: the chosen program's */
    int32_t threads;            /* CPU threads of a prediction; 0: what the engine finds (OMP_NUM_THREADS, cores) */
    int32_t verify;             /* enum surrogate_verify_level */
    const char *guards;         /* JSON {"finite": true, "bounds": {"p": {"lower": 0}}}: each key that is given replaces
                                   the manifest's, null removes it; NULL: the manifest's guards */
    const char *engine_path;    /* ':'-separated folders searched for engines before SURROGATE_ENGINE_PATH; or NULL */
    const char *engine_options; /* JSON object handed to the engine; NULL: none */
    surrogate_log_function log; /* NULL: silent */
    void *log_user;             /* handed to `log` */
} surrogate_open_options;

/* Set every option to its default.  size: sizeof(surrogate_open_options) of the caller's header, which is all that is
 * written.  options must not be NULL. */
SURROGATE_API void surrogate_open_options_init(surrogate_open_options *options, size_t size);

/* Open the bundle folder at `path`: read the manifest, check hashes, choose a program, load its engine, run it once
 * (on the example, or on zeros) so that the first prediction is not slower than the others.  May allocate and read
 * files.  *model: the new handle, owned by the caller, to be given to surrogate_close; NULL unless the status is OK.
 * options NULL: defaults.
 * Programs are tried in the manifest's order; one of a format, device or precision that this version does not know, or
 * that the options exclude, is passed over.  None left: SURROGATE_ERROR_UNSUPPORTED, so also if `engine` names an
 * engine that no program uses; SURROGATE_ERROR_ENGINE if a program fits and its engine is missing or fails to load it.
 * Files are read inside the folder only: a name or a link that leaves it is SURROGATE_ERROR_CORRUPT.
 * A model with noise inputs is SURROGATE_ERROR_UNSUPPORTED in this version. */
SURROGATE_API int surrogate_open(surrogate_model **model, const char *path, const surrogate_open_options *options);

/* A file of a bundle in memory: `name` is its path inside the bundle, with '/' ("manifest.json"). */
typedef struct surrogate_file {
    const char *name;
    const void *data;
    size_t size;
} surrogate_file;

/* Open a bundle that is in memory already (read by another MPI rank, or embedded in the solver).  `files` and
 * what they point to are borrowed during the call only; no name may stand twice.  Otherwise as surrogate_open. */
SURROGATE_API int surrogate_open_memory(surrogate_model **model, const surrogate_file *files, size_t count,
                                        const surrogate_open_options *options);

/* Free everything that belongs to `model`.  NULL is allowed.  A later call with the handle is SURROGATE_ERROR_ARGUMENT
 * (until some hundreds of models more were closed), a second close does nothing. */
SURROGATE_API void surrogate_close(surrogate_model *model);

/* ------------------------------------------------------------------------------------------ 5 predict -- */

/* What belongs to one step.  Initialise with surrogate_step_options_init; NULL where a call takes it means the same.
 * This version reads `parameters` and `parameter_count`.  It accepts and ignores all others: step, time, seed, member,
 * origin and global_shape serve models with noise inputs, which do not open yet, and stream serves device fields. */
typedef struct surrogate_step_options {
    size_t struct_size;       /* sizeof(surrogate_step_options) */
    int64_t step;             /* number of the step, counted by the solver; -1: none (stochastic models need it) */
    double time;              /* t1 in the manifest's time unit; NaN: not given */
    uint64_t seed;            /* of the random numbers of stochastic models */
    int64_t member;           /* ensemble member, from 0 */
    const double *parameters; /* scalar parameters in the manifest's order; NULL: their defaults */
    size_t parameter_count;   /* must equal the manifest's if `parameters` is given */
    int64_t origin[3];        /* global index of the first cell, slowest axis first */
    int64_t global_shape[3];  /* shape of the whole domain; 0: that of the fields */
    void *stream;             /* CUDA stream of device fields; NULL: the default stream */
} surrogate_step_options;

/* Set every option to its default, as surrogate_open_options_init does; size: sizeof(surrogate_step_options). */
SURROGATE_API void surrogate_step_options_init(surrogate_step_options *step, size_t size);

/* Predict the state one time step later.
 * output, input   `count` fields each, one for every field of the manifest, in any order if named.  All have the
 *                 manifest's number of spatial axes and equal spatial (and batch) shapes, which obey the grid rule.
 *                 An output entry of a field that is read but not predicted is ignored (its data may be NULL).
 *                 An output array may be its own input array (same address, shape and strides); any other overlap of
 *                 memory that is read with memory that is written is SURROGATE_ERROR_OVERLAP.
 * step            NULL: defaults.
 * Cost besides the program: one pass to pack the input (none if it is dense, float32 and not normalised), one
 * read-only guard pass, one pass that writes the output.  No heap allocation of ours after the first call of a shape.
 * Guards look at the fields that are given and nothing else.  Under MPI each rank judges its own part; partial
 * integrals over the ranks are not in this version, and will come as further functions.
 * Returns OK, REJECTED (see surrogate_last_rejection) or ERROR_*; the output is written only if OK. */
SURROGATE_API int surrogate_predict(surrogate_model *model, const surrogate_field *output, const surrogate_field *input,
                                    size_t count, const surrogate_step_options *step);

/* The short form: one whole state in one dense host array [C][ny][nx] ([C][nz][ny][nx], [C][nx]), channels in the
 * manifest's order; batches need surrogate_predict.  shape: {C, ny, nx}.  `output` has the same shape and may be
 * `input`; channels that are not predicted are left alone.  Otherwise as surrogate_predict. */
SURROGATE_API int surrogate_predict_array(surrogate_model *model, void *output, const void *input, int dtype, int rank,
                                          const int64_t *shape, const surrogate_step_options *step);

/* What the last REJECTED of this model was about. */
typedef struct surrogate_rejection {
    size_t struct_size;  /* sizeof(surrogate_rejection), set by the caller */
    int32_t reason;      /* enum surrogate_reason */
    int32_t field;       /* index of the field in the manifest's order; -1: none in particular */
    int32_t component;   /* component of that field */
    int64_t cell[3];     /* first offending cell, slowest axis first, unused axes 0 */
    int64_t batch;       /* index of the state in a batch */
    double value;        /* the offending value */
    double lower, upper; /* the bounds it broke; -inf and +inf where there are none */
    int64_t call;        /* number of the call that was rejected, from 1 (surrogate_statistics.calls) */
} surrogate_rejection;

/* SURROGATE_OK and *rejection filled (reason NONE if nothing was ever rejected). */
SURROGATE_API int surrogate_last_rejection(surrogate_model *model, surrogate_rejection *rejection);

/* --------------------------------------------------------------------------------- 6 what a model is -- */

enum surrogate_boundary { SURROGATE_BOUNDARY_PERIODIC = 1, SURROGATE_BOUNDARY_WALL = 2, SURROGATE_BOUNDARY_OPEN = 3 };

/* Facts of an opened model.  Strings belong to the model and live until surrogate_close.
 * Arrays over axes stand slowest axis first; unused entries are 0. */
typedef struct surrogate_info {
    size_t struct_size; /* sizeof(surrogate_info), set by the caller */
    const char *name;   /* the bundle's name */
    const char *path;   /* where it was opened; "" if from memory */
    const char *engine; /* engine, program, device and precision that were chosen */
    const char *program;
    const char *device;
    const char *precision;
    const char *choice;      /* one sentence: why this program */
    int32_t field_count;     /* fields of a state, predicted or not */
    int32_t channel_count;   /* sum of their components */
    int32_t parameter_count; /* scalar parameters */
    int32_t spatial_rank;    /* 1, 2 or 3 */
    double time_step;        /* t2 - t1 in time_unit */
    const char *time_unit;
    int64_t fixed_shape[3]; /* > 0: the only size allowed */
    int64_t multiple_of[3]; /* sizes must be multiples of these */
    int64_t minimum_shape[3];
    double spacing[3]; /* cell size the model was trained at, in spacing_unit; 0: any */
    const char *spacing_unit;
    int32_t boundary[3];        /* enum surrogate_boundary */
    int64_t receptive_field[3]; /* cells to each side that an output cell depends on */
    int64_t stride[3];          /* translations by these commute with the model */
    int32_t reduces_over_space; /* 1: every output depends on the whole domain: no tiles */
    int32_t stochastic;         /* 1: has noise inputs, needs `step`; always 0 yet, see surrogate_open */
    int32_t threads;            /* CPU threads of a prediction as asked for at open; 0: the engine's default */
} surrogate_info;

SURROGATE_API int surrogate_get_info(surrogate_model *model, surrogate_info *info);

/* Facts of one field, index 0 .. field_count-1 in the manifest's order. */
typedef struct surrogate_field_info {
    size_t struct_size; /* sizeof(surrogate_field_info), set by the caller */
    const char *name;
    const char *unit;
    const char *staggering; /* "cell", "corner", "face_x", ... */
    int32_t components;
    int32_t predicted; /* 1: written by predict; 0: read only */
} surrogate_field_info;

SURROGATE_API int surrogate_get_field_info(surrogate_model *model, int index, surrogate_field_info *info);

/* Facts of one scalar parameter, index 0 .. parameter_count-1. */
typedef struct surrogate_parameter_info {
    size_t struct_size; /* sizeof(surrogate_parameter_info), set by the caller */
    const char *name;
    const char *unit;
    double lower, upper; /* range it was trained in; outside: SURROGATE_ERROR_PARAMETER */
    double preset;       /* value used where none is given */
} surrogate_parameter_info;

SURROGATE_API int surrogate_get_parameter_info(surrogate_model *model, int index, surrogate_parameter_info *info);

/* ------------------------------------------------------------------------------------- 7 statistics -- */

/* Counters of one model since open.  calls = ok + rejected + errors. */
typedef struct surrogate_statistics {
    size_t struct_size; /* sizeof(surrogate_statistics), set by the caller */
    int64_t calls, ok, rejected, errors;
    int64_t input_copies;   /* passes that packed an input */
    int64_t output_passes;  /* passes that wrote an output */
    int64_t allocations;    /* heap allocations made by the library itself inside predict */
    double pack_seconds;    /* sums over all calls: reading, checking and packing the input */
    double program_seconds; /*   the program itself, in the engine */
    double output_seconds;  /*   guards and writing the output */
} surrogate_statistics;

SURROGATE_API int surrogate_get_statistics(surrogate_model *model, surrogate_statistics *statistics);

/* ----------------------------------------------------------------------------------- 8 verification -- */

/* Result of replaying the example pair of the bundle. */
typedef struct surrogate_verification {
    size_t struct_size;        /* sizeof(surrogate_verification), set by the caller */
    int32_t passed;            /* 1: largest_difference <= tolerance */
    double largest_difference; /* max |program(example) - expected|, in normalised increments */
    double tolerance;          /* from the manifest */
} surrogate_verification;

/* Hash every file of the bundle, run the chosen program on the example input and compare with the expected output.
 * Returns OK with *verification filled even if passed is 0; ERROR_CORRUPT if a file's hash is wrong. */
SURROGATE_API int surrogate_verify(surrogate_model *model, surrogate_verification *verification);

#ifdef __cplusplus
}
#endif
#endif
