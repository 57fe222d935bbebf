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
 * 8 verification, 9 recorder.
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
    SURROGATE_ERROR_PARAMETER = -14,   /* scalar parameters missing or outside their range; `step` missing; steps,
                                          members, guidance or caption that the bundle does not hold */
    SURROGATE_ERROR_WRITE = -15,       /* a recording cannot be written: disk full, no permission, folder missing */
    SURROGATE_ERROR_TIMEOUT = -16,     /* a rank was silent for longer than the deadline (surrogate_mpi.h) */
    SURROGATE_ERROR_MPI = -17,         /* a call of MPI failed (surrogate_mpi.h) */
    SURROGATE_ERROR_INTERNAL = -99     /* a defect of the library: please report the text */
};

/* Why a guard refused (surrogate_rejection.reason). */
enum surrogate_reason {
    SURROGATE_REASON_NONE = 0,
    SURROGATE_REASON_INPUT_NOT_FINITE = 1,
    SURROGATE_REASON_OUTPUT_NOT_FINITE = 2,
    SURROGATE_REASON_INPUT_OUT_OF_BOUNDS = 3,
    SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS = 4,
    SURROGATE_REASON_INPUT_OUT_OF_RANGE = 5,    /* too many cells of the input lie outside the trained range */
    SURROGATE_REASON_INPUT_UNLIKE_TRAINING = 6, /* mean or standard deviation of the input unlike any in training */
    SURROGATE_REASON_NOT_CONSERVED = 7,         /* the frame changes the integral of a conserved field */
    SURROGATE_REASON_JUMP_OUT_OF_RANGE = 8,     /* the frame changes a field by more or less than in training */
    SURROGATE_REASON_SPREAD_TOO_LARGE = 9       /* members of an ensemble differ too much */
};

/* Text of the calling thread's last REJECTED or ERROR: where, what was given, what was expected, what to do.
 * Never NULL; "" before the first.  Valid until the thread's next call into the library. */
SURROGATE_API const char *surrogate_last_error(void);

/* Set that text, as "where: text": for libraries over this one (surrogate_mpi.h), whose failures are read the same way.
 * where, text: copied; NULL is "". */
SURROGATE_API void surrogate_set_last_error(const char *where, const char *text);

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
    const char *engine;         /* "torch", "stub"; "python": runs Python code of the bundle, never chosen unasked;
                                   "none": no program is loaded, for a rank whose program another one runs (prediction
                                   in parts, section 5); NULL or "auto": that of the fastest program that can run */
    const char *program;        /* a program's name in manifest or overlay; NULL or "auto": chosen by the library */
    const char *device;         /* "cpu", "cuda", "cuda:1"; NULL: "cpu" */
    const char *precision;      /* "fp32", "bf16", "fp16"; NULL: the chosen program's */
    int32_t threads;            /* CPU threads of a prediction; 0: what the engine finds (OMP_NUM_THREADS, cores) */
    int32_t verify;             /* enum surrogate_verify_level */
    const char *guards;         /* guards that replace the manifest's, see below; NULL: the manifest's */
    const char *engine_path;    /* ':'-separated folders searched for engines before SURROGATE_ENGINE_PATH; or NULL */
    const char *engine_options; /* JSON object handed to the engine; NULL: none. python: {"communicator":
                                   MPI_Comm_c2f(c), "python": an interpreter whose packages are used, "libpython": a
                                   library, ...: the program's own} */
    surrogate_log_function log; /* NULL: silent */
    void *log_user;             /* handed to `log` */
    const char *overlay;        /* folder of programs that `surrogate lower` made for this machine; NULL:
                                   $SURROGATE_OVERLAY, else surrogate/overlay in $XDG_CACHE_HOME or ~/.cache; "": none */
    const char *record_calls;   /* path of a recording (section 9) of every accepted prediction; NULL: none */
    int32_t preload; /* 1: the programs of all steps of a generative model are loaded and run once at open; 0:
                        each but the preset's at its first use (default) */
} surrogate_open_options;

/* Guards, as they stand in the manifest and in options.guards: a JSON text, or the path of a file that holds one (text
 * that does not begin with '{').  A key that is given replaces the manifest's, null removes it.  All are decided for
 * each state of a batch and each component by itself.
 *   "finite": true                            no NaN and no infinity in input and predicted frame
 *   "bounds": {FIELD: {"lower": a, "upper": b}}  of every value, in input and predicted frame
 *   "range": {"share": s}                     largest share of the input's cells outside the trained range
 *   "statistics": {"distance": d}             largest |z| of the input's mean and standard deviation, over training's
 *   "conserved": {"tolerance": t}             largest |sum u(t2) - sum u(t1)| / sum |u(t1)| of conserved fields
 *   "jump": {"lower": a, "upper": b}          rms of u(t2) - u(t1) over the rms in training
 *   "spread": {"upper": s}                    ensembles: rms of the standard deviation over members, over the same rms
 *   "policy": {GUARD: POLICY}                 what is done with a state that breaks the guard:
 *       "reject"   refuse it (default)
 *       "keep"     let it pass, counted in surrogate_statistics.kept_by
 *       "clip"     bounds only: put values of the predicted frame on the nearest bound (the input is refused as by
 *                  reject; NaN stays, so leave "finite" on)
 *       "project"  conserved only: take the mean of its increment from every conserved field, whatever its size, so
 *                  that the integral stays; after bounds were checked or clipped
 * A guard that no field has data for, or a policy on another guard: SURROGATE_ERROR_ARGUMENT at open; a file that
 * cannot be read: SURROGATE_ERROR_NOT_FOUND. */

/* Set every option to its default.  size: sizeof(surrogate_open_options) of the caller's header, which is all that is
 * written.  options must not be NULL. */
SURROGATE_API void surrogate_open_options_init(surrogate_open_options *options, size_t size);

/* Open the bundle folder at `path`: read the manifest, check hashes, choose a program, load its engine, run it once
 * (on the example, or on zeros) so that the first prediction is not slower than the others.  May allocate and read
 * files.  *model: the new handle, owned by the caller, to be given to surrogate_close; NULL unless the status is OK.
 * options NULL: defaults.
 * Programs of the bundle and of its overlay are tried, the fastest first by the timings that `surrogate lower` took on
 * this machine with the nearest number of threads; then those never timed here, in the manifest's order.  Passed over
 * is one of a format, device or precision that this version does not know or that the options exclude; and one of the
 * overlay that was lowered from another bundle, made with another version of the engine, compiled for instructions or
 * a GPU that this machine lacks (nothing of it is loaded then), or damaged.  surrogate_info.choice names the program,
 * why it was chosen, and why others were passed over.  None left: SURROGATE_ERROR_UNSUPPORTED, so also if `engine`
 * names an engine that no program uses; SURROGATE_ERROR_ENGINE if a program fits and its engine is missing or fails to
 * load it.
 * Engine "none": manifest.json alone is read, `program`, `precision` and `overlay` are not looked at, program and
 * precision of surrogate_info are "".  Guards, facts and a prediction in parts work; whatever runs the program,
 * surrogate_verify and SURROGATE_VERIFY_EXAMPLE included, is SURROGATE_ERROR_UNSUPPORTED.
 * Files are read inside the folder only: a name or a link that leaves it is SURROGATE_ERROR_CORRUPT.
 * record_calls: input and output of every prediction that returns OK are stored as frames `input.NAME`, `output.NAME`
 * (older frames of a history as `history1.NAME`, ...) with the scalars call, status, step, member, seed, originK,
 * global_shapeK, parameter.NAME, steps, tokenK (of the caption), and totals (1: decided by sums of other ranks too);
 * with the SHA-256 of manifest.json (attribute bundle_sha256) and options.guards (guards).  `surrogate verify BUNDLE
 * --replay FILE` runs them through the reference, guards' policies included.  So are _begin with _wait or _finish, and
 * every frame of surrogate_rollout; ensembles (surrogate_predict_ensemble, surrogate_predict_members) and predictions
 * in parts, whose frame depends on other blocks too, are not recorded.  The file is joined by surrogate_close, and
 * readable before.  A frame that cannot be stored (disk full, another shape than the first, fields in CUDA memory) does
 * not change the prediction, which returns what it would have returned: it is logged once as a warning, and counted in
 * surrogate_statistics.record_errors.  Each stored call costs a copy of input and output and a file; a prediction that
 * is not recorded costs nothing.  If the recording cannot even be begun (the path exists, its folder does not, the
 * recorder is missing) surrogate_open fails, as surrogate_recorder_open does. */
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
 * step, seed, member, origin and global_shape say which random numbers a stochastic model draws (see surrogate_noise)
 * and are ignored by others; time is what record_calls stores and is else ignored; stream serves fields on a GPU;
 * steps, guidance and caption are for generative models, see below. */
typedef struct surrogate_step_options {
    size_t struct_size;       /* sizeof(surrogate_step_options) */
    int64_t step;             /* number of the step, counted by the solver; -1: none (stochastic models need it) */
    double time;              /* t1 in the manifest's time unit; NaN: not given */
    uint64_t seed;            /* of the random numbers of stochastic models */
    int64_t member;           /* ensemble member, from 0; state b of a batch draws as member + b */
    const double *parameters; /* scalar parameters in the manifest's order; NULL: their defaults */
    size_t parameter_count;   /* must equal the manifest's if `parameters` is given (see guidance below) */
    int64_t origin[3];        /* global index of the first cell, slowest axis first */
    int64_t global_shape[3];  /* shape of the whole domain; 0: that of the fields */
    void *stream;             /* cudaStream_t on which fields in CUDA memory are read and written, and a program on
                                 a GPU runs; NULL: the default stream */
    int64_t members;     /* size of an ensemble (surrogate_predict_ensemble, surrogate_predict_members); default 1 */
    int64_t steps;       /* evaluations of a generative model's net, one of surrogate_info.steps; 0: the preset */
    double guidance;     /* weight of the condition, 0 to surrogate_info.largest_guidance; NaN: the preset */
    const char *caption; /* what the frame should show, UTF-8; NULL or no words: none */
} surrogate_step_options;

/* Generative models (surrogate_info.step_count > 0) draw a frame by so many evaluations of one net: more cost more time
 * and, up to a point, come nearer to the trained distribution.  A bundle holds a program for each of
 * surrogate_info.steps.
 * That of the preset is loaded at open, another at the first call that asks for it, and run once then: that call is
 * slower and may allocate, unless surrogate_open_options.preload.  A bundle from memory loads all at open, since its
 * files are gone afterwards.
 * - steps, guidance, caption: SURROGATE_ERROR_PARAMETER where the bundle does not hold them, with what it does hold;
 *   so are more members than surrogate_info.largest_members.
 * - A model with guidance has a scalar parameter `guidance`, its last one.  Give its value here, or in `parameters`,
 * not in both; `parameters` may leave out this last one.
 * - A caption is read as words: ASCII letters, digits and .+- in a row, capitals as small letters, everything else
 *   between words; at most surrogate_info.caption_length of them.  A word that the model does not know counts as one.
 */

/* Set every option to its default, as surrogate_open_options_init does; size: sizeof(surrogate_step_options). */
SURROGATE_API void surrogate_step_options_init(surrogate_step_options *step, size_t size);

/* Predict the state one time step later.
 * output, input   `count` fields each, one for every field of the manifest, in any order if named.  A model that reads
 *                 a history (surrogate_info.history > 1) takes history * count input entries: the newest frame's, then
 *                 those of the frame one time step before, and so on; the increment is added to the newest.
 *                 All have the manifest's number of spatial axes and equal spatial (and batch) shapes, which obey the
 *                 grid rule.  An output entry of a field that is read but not predicted is ignored (its data may be
 *                 NULL).  An output array may be its own input array (same address, shape and strides; of any frame);
 *                 any other overlap of memory that is read with memory that is written is SURROGATE_ERROR_OVERLAP.
 * step            NULL: defaults.
 * Fields in CUDA memory (all of a call, on the GPU that the model was opened on) never touch the host: the engine
 * packs, counts and writes them, in the order of `stream`.  The call waits for the stream once, because the guards'
 * answer is needed; the frame itself is written in stream order, and is there for what the caller enqueues next on that
 * stream. Cost besides the program: one pass to pack the input (none if it is dense, float32 and not normalised), one
 * read-only guard pass, one pass that writes the output.  No heap allocation of ours after the first call of a shape.
 * Guards look at the fields that are given and nothing else: under MPI each rank judges its own part, unless the sums
 * of all ranks are brought together (surrogate_predict_partials).
 * Returns OK, REJECTED (see surrogate_last_rejection) or ERROR_*; the output is written only if OK. */
SURROGATE_API int surrogate_predict(surrogate_model *model, const surrogate_field *output, const surrogate_field *input,
                                    size_t count, const surrogate_step_options *step);

/* The short form: one whole state in one dense host array [C][ny][nx] ([C][nz][ny][nx], [C][nx]), channels in the
 * manifest's order; batches need surrogate_predict.  shape: {C, ny, nx}.  `output` has the same shape and may be
 * `input`; channels that are not predicted are left alone.  Otherwise as surrogate_predict. */
SURROGATE_API int surrogate_predict_array(surrogate_model *model, void *output, const void *input, int dtype, int rank,
                                          const int64_t *shape, const surrogate_step_options *step);

/* The same in two halves, so that the solver works while the program runs on a thread of the library's.
 * _begin checks its arguments as surrogate_predict does, starts and returns OK or ERROR_*.  Descriptions, names and
 * parameters are read during _begin; the arrays are borrowed until _wait returns: the solver may read the input, and
 * must not write it, nor touch the output.
 * _test sets *done to 1 once _wait would not block, else to 0; _wait must be called all the same.
 * _wait returns what surrogate_predict would: the guards' decision and the writing of the output happen in it, on the
 * caller's thread.
 * In between, any other call on this model but _get_info and its kin is SURROGATE_ERROR_ARGUMENT, as is _test or _wait
 * with nothing under way; surrogate_close waits, and writes no output.
 * The thread is made at the first _begin and ends at surrogate_close.  All signals are blocked in it and it has the
 * default floating-point environment.  An engine's OpenMP workers compete with the solver's for the cores: choose
 * surrogate_open_options.threads so that both fit. */
SURROGATE_API int surrogate_predict_begin(surrogate_model *model, const surrogate_field *output,
                                          const surrogate_field *input, size_t count,
                                          const surrogate_step_options *step);
SURROGATE_API int surrogate_predict_test(surrogate_model *model, int *done);
SURROGATE_API int surrogate_predict_wait(surrogate_model *model);

/* The guards over a domain that several ranks hold: every rank begins with its own part, takes the sums of its part,
 * adds them over all ranks, and finishes with the totals.  All ranks then come to the same verdict, and policy
 * "project" restores the integral over the whole domain: surrogate_predict_begin(m, next, now, n, NULL);
 *     surrogate_predict_partials(m, sums, count);                             (waits for the program)
 *     MPI_Allreduce(MPI_IN_PLACE, sums, count, MPI_DOUBLE, MPI_SUM, comm);
 *     surrogate_predict_finish(m, sums, count);
 * count: surrogate_info.partial_count for each state of the batch.  Every number is a sum over cells; add them and make
 * nothing else of them.
 * _partials  OK with partials[count] filled; an ERROR_* of the program ends the call (the rank must still take part in
 *            the reduction: with NaN everywhere, the others reject).  partials must not be NULL.
 * _finish    as surrogate_predict_wait, but decided by totals[count]; NULL: this rank's own.  A rejection names a cell
 *            if this rank holds one that broke the guard.  Its statistics count the whole domain.
 * Wrong count: SURROGATE_ERROR_ARGUMENT, and the call is still under way. */
SURROGATE_API int surrogate_predict_partials(surrogate_model *model, double *partials, size_t count);
SURROGATE_API int surrogate_predict_finish(surrogate_model *model, const double *totals, size_t count);

/* ---- One prediction in parts, for a domain that ranks hold in blocks while programs run on other regions than these.
 * surrogate_mpi.h does all of it.  Every rank packs its block; whoever holds a program runs it on tiles that were put
 * together from packed blocks; every rank judges and forms its block of the frame from the increments that come back:
 *     surrogate_parts_begin(m, packed, next, now, n, step);
 *     (packed values are exchanged)         surrogate_parts_run(m, &increments, tiles, batch, shape, origins, step);
 *     (increments are exchanged)            surrogate_parts_partials(m, increments, sums, count, &own);
 *     (sums are added over all ranks)       surrogate_predict_finish(m, sums, count);
 * One state in host memory (no batch axis, or one of 1), else ERROR_UNSUPPORTED.  The block need not obey the grid
 * rule, the tiles must.  Whatever ends in an error leaves the output untouched.
 *
 * _begin     checks its arguments as surrogate_predict_begin does and writes what the program is to read, dense:
 *            packed[history * channel_count][cells of the block], float32, normalised, newest frame first; it shares no
 *            memory with the fields.  Values that a guard refuses are packed like all others.  input and output are
 *            borrowed until the call ends.
 * _run       run the program on `batch` tiles of `shape` (spatial_rank sizes): tiles[batch][history * channel_count]
 *            [cells], dense float32.  *increments: [batch][predicted channels][cells], owned by the model, valid until
 *            it runs its program again or is closed.  origins[batch][spatial_rank]: global index of the first cell of
 *            each tile, for random numbers (from 0; cells beyond step->global_shape, 0: the tile's, are those at its
 *            other side); NULL: step->origin.  All tiles are parts of one state: step->member is that of each.  Legal
 *            whether or not a call in parts is under way, for tiles of any rank; it is no call of the statistics, but
 *            its time is in program_seconds.
 *            ERROR_UNSUPPORTED of a model opened with engine "none".
 * _partials  increments[predicted channels][cells of the block], dense float32, borrowed until the call ends.  Fills
 *            partials[count] as surrogate_predict_partials does, and *own (may be NULL; struct_size set by the caller):
 *            what the value guards (finite, bounds) refuse in this block alone, reason NONE if nothing; its cell counts
 *            from the block's first.  An input that is refused is told before a frame that is.  May be called again,
 *            with other increments.
 * Then surrogate_predict_finish ends the call (ERROR_ARGUMENT if `totals` accept an input of which this block holds a
 * value that is refused), or
 * _abandon   ends it without a frame: it counts as an error.  With nothing under way it does nothing.
 * In between, any other call on this model but _run, _get_info and its kin is SURROGATE_ERROR_ARGUMENT, and the call
 * goes on; surrogate_close writes no output. */
typedef struct surrogate_rejection surrogate_rejection;
SURROGATE_API int surrogate_parts_begin(surrogate_model *model, float *packed, const surrogate_field *output,
                                        const surrogate_field *input, size_t count, const surrogate_step_options *step);
SURROGATE_API int surrogate_parts_run(surrogate_model *model, const float **increments, const float *tiles,
                                      int64_t batch, const int64_t *shape, const int64_t *origins,
                                      const surrogate_step_options *step);
SURROGATE_API int surrogate_parts_partials(surrogate_model *model, const float *increments, double *partials,
                                           size_t count, surrogate_rejection *own);
SURROGATE_API int surrogate_parts_abandon(surrogate_model *model);

/* Several members of a stochastic model from one state, step->members of them: state b of the input's batch draws as
 * members step->member + b * members + 0, 1, ...  They go through the program together, in runs that fit in memory; the
 * guards judge every member, and one that is refused refuses the call.
 * _ensemble: mean and standard deviation (divisor members - 1, so two members at least) over the members, cell by
 *            cell, summed in double.  mean, spread: `count` fields each as surrogate_predict's output, or NULL; they
 *            share no memory with one another.  Either may be the input.
 * _members:  all of them; the fields of `output` have a batch axis of members (times the input's batch, the members
 *            of one state side by side).
 * ERROR_UNSUPPORTED if the model is not stochastic or the fields are in CUDA memory, ERROR_PARAMETER without
 * step->step; otherwise as surrogate_predict. */
SURROGATE_API int surrogate_predict_ensemble(surrogate_model *model, const surrogate_field *mean,
                                             const surrogate_field *spread, const surrogate_field *input, size_t count,
                                             const surrogate_step_options *step);
SURROGATE_API int surrogate_predict_members(surrogate_model *model, const surrogate_field *output,
                                            const surrogate_field *input, size_t count,
                                            const surrogate_step_options *step);

/* Predict `steps` frames, each from the ones before; step->step and step->time count on.  Fields that are not predicted
 * stay those of the newest input frame.
 * output      with a batch axis of steps (times the input's batch, the states of one frame side by side): every frame;
 *             with the input's own batch: the last frame only, and it may be the input.
 * *completed  how many frames were accepted, whatever the status; may be NULL.  These frames are written (or the last
 *             of them is) even if the next was REJECTED or failed: let the solver step from there.
 * Each frame counts as one call of the statistics.  Fields in CUDA memory stay there from frame to frame
 * (ERROR_UNSUPPORTED for the last frame alone of a model that reads a history).  Otherwise as surrogate_predict. */
SURROGATE_API int surrogate_rollout(surrogate_model *model, int64_t *completed, const surrogate_field *output,
                                    const surrogate_field *input, size_t count, int64_t steps,
                                    const surrogate_step_options *step);

/* The random numbers that a stochastic model draws, for a solver that wants the same: values[channels][shape...],
 * dense, of noise input `input` (its index in the manifest) for step->seed, step->step, step->member, on the block of
 * `shape` (rank 1..3) that begins at step->origin of the domain step->global_shape (0: that of the block).  A number
 * belongs to its global cell: the same on any number of ranks; cells outside the domain are those at its other side.
 * Philox4x64-10, key (seed, step), counter (global cell, channel / 4, member, input), its four words the channels
 * 4k..4k+3; the upper 53 bits of a word are a uniform number, made normal by AS241 in double.  surrogate/noise.py gives
 * the same bits.  ERROR_PARAMETER if step->step is negative. */
SURROGATE_API int surrogate_noise(float *values, int64_t input, int64_t channels, int rank, const int64_t *shape,
                                  const surrogate_step_options *step);

/* What the last REJECTED of this model was about.  Reasons up to OUTPUT_OUT_OF_BOUNDS are about one value; the others
 * about a number made of sums over all cells (of one component): `value` and the bounds are that number's, `cell` is 0.
 */
struct surrogate_rejection {
    size_t struct_size;  /* sizeof(surrogate_rejection), set by the caller */
    int32_t reason;      /* enum surrogate_reason */
    int32_t field;       /* index of the field in the manifest's order; -1: none in particular */
    int32_t component;   /* component of that field */
    int64_t cell[3];     /* first offending cell, slowest axis first, unused axes 0 */
    int64_t batch;       /* index of the state in a batch */
    double value;        /* the offending value */
    double lower, upper; /* the bounds it broke; -inf and +inf where there are none */
    int64_t call;        /* number of the call that was rejected, from 1 (surrogate_statistics.calls) */
};

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
    int32_t stochastic;         /* 1: has noise inputs, needs `step` */
    int32_t threads;            /* CPU threads of a prediction as asked for at open; 0: the engine's default */
    int32_t history;            /* frames that the program reads; 1: the newest alone */
    int32_t partial_count;      /* doubles a state of surrogate_predict_partials */
    const char *sampler;        /* how a generative model draws frames, "flow, heun"; "": it is none */
    const int64_t *steps;       /* evaluations that surrogate_step_options.steps may ask for, increasing; NULL: none */
    int32_t step_count;         /* their number; 0: the program evaluates its net once */
    int32_t caption_length;     /* words of a caption at most; 0: the model takes none */
    int64_t preset_steps;    /* evaluations of a call that asks for none: the bundle's preset, or those of the program
                                that surrogate_open_options.program named; 0: step_count is 0 */
    int64_t largest_members; /* of an ensemble; 0: any number */
    double largest_guidance; /* 0: the model has no guidance */
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
    int64_t record_errors;  /* accepted predictions that record_calls could not store */
    /* calls by enum surrogate_reason: refused, and let pass by policy "keep" (one call may count for several) */
    int64_t rejected_by[16], kept_by[16];
    int64_t clipped_cells; /* values that policy "clip" changed */
    int64_t projections;   /* fields (of one component and state) that policy "project" corrected */
    double guard_seconds;  /* of output_seconds, what the guards took */
} surrogate_statistics;

SURROGATE_API int surrogate_get_statistics(surrogate_model *model, surrogate_statistics *statistics);

/* ----------------------------------------------------------------------------------- 8 verification -- */

/* Result of replaying the example pair of the bundle. */
typedef struct surrogate_verification {
    size_t struct_size;        /* sizeof(surrogate_verification), set by the caller */
    int32_t passed;            /* 1: largest_difference <= tolerance */
    double largest_difference; /* max |program(example) - expected|, in normalised increments */
    double tolerance;          /* from the manifest; of a lowered program plus the difference it was accepted with */
} surrogate_verification;

/* Hash every file of the bundle, run the chosen program on the example input and compare with the expected output.
 * Returns OK with *verification filled even if passed is 0; ERROR_CORRUPT if a file's hash is wrong. */
SURROGATE_API int surrogate_verify(surrogate_model *model, surrogate_verification *verification);

/* --------------------------------------------------------------------------------------- 9 recorder -- */

/* Frames of the solver's state, captured in its loop: training data, or the calls of a model (record_calls).
 *
 *     surrogate_recorder *rec;
 *     if (surrogate_recorder_open(&rec, "run7.h5", NULL) < 0) die(surrogate_last_error());
 *     while (t < t_end) { advance(u); surrogate_recorder_write(rec, t, fields, 3); }
 *     surrogate_recorder_close(rec);
 *
 * The file has the layout of The Well (HDF5): t0_fields for fields of one component, t1_fields for vectors, t2_fields
 * for fields of D*D components (D spatial axes, D > 1), each (trajectories, time, [nz,] [ny,] nx[, components...]);
 * dimensions, boundary_conditions, scalars; and an attribute `units` on every dataset.  Arrays keep C's order, so that
 * spatial_dims is {"y", "x"} in 2-D; components stand in the solver's order; a number of components that is none of
 * 1, D, D*D goes to t1_fields.  A batch axis counts trajectories.
 *
 * Every frame whose write returned OK survives the end of the process, kill -9 included (not the loss of power: nothing
 * is synced).  Until close each frame is a file of its own in the folder `PATH.frames`, complete before it gets its
 * name, and PATH is a virtual dataset over them that any HDF5 reader opens at any time.  close joins them in one plain
 * file and removes the folder; for that it needs room for a second copy on the disk.  After a kill PATH with its folder
 * stays as it is, readable; move both together. HDF5 comes with the plugin libsurrogate_recorder, searched for like
 * engines and loaded by the first surrogate_recorder_open of the process; a copy of HDF5 that the program itself uses
 * is not touched, unless it is the same shared library: then its error handler is restored after every call, and as
 * HDF5 is not thread safe no other thread may be in it meanwhile. Thread rule: as for models.  A closed handle is
 * recognised by every function: SURROGATE_ERROR_ARGUMENT. A process with a limit on file sizes (RLIMIT_FSIZE) must
 * ignore SIGXFSZ to get a status instead of that signal. */
typedef struct surrogate_recorder surrogate_recorder;

/* Strings and arrays are copied by open.  Initialise with surrogate_recorder_options_init.  Axes: slowest first. */
typedef struct surrogate_recorder_options {
    size_t struct_size;                 /* sizeof(surrogate_recorder_options) */
    const char *name;                   /* name of the data set; NULL: the file's name without its suffix */
    const char *description;            /* for people; NULL: none */
    const char *time_unit;              /* NULL: "1" */
    const char *length_unit;            /* unit of spacing and origin; NULL: "1" */
    double spacing[3];                  /* distance of cells; 0: not known, coordinates count cells */
    double origin[3];                   /* coordinate of the first cell */
    int32_t boundary[3];                /* enum surrogate_boundary; 0: not known, not stored */
    const char *const *parameter_names; /* scalar parameters of the run (viscosity, gamma, ...) */
    const double *parameter_values;
    size_t parameter_count;
    int64_t trajectory;      /* number of this run in its data set, an attribute; -1: none (default) */
    uint64_t seed;           /* of the run's initial state, an attribute */
    int32_t precision;       /* enum surrogate_dtype that fields are stored in; 0: each field's own (default) */
    int32_t compression;     /* deflate level of the joined file, 1..9; 0: none (default) */
    int64_t chunk[3];        /* cells of a chunk of the joined file; 0: the whole axis */
    int32_t overwrite;       /* 1: replace a recording that stands at the path; 0: refuse (default) */
    const char *plugin_path; /* ':'-separated folders searched for the plugin before SURROGATE_ENGINE_PATH; or NULL */
} surrogate_recorder_options;

SURROGATE_API void surrogate_recorder_options_init(surrogate_recorder_options *options, size_t size);

/* Begin a recording at `path`; the file appears with the first frame.  *recorder: owned by the caller, to be given to
 * surrogate_recorder_close; NULL unless OK.  options NULL: defaults.
 * ERROR_ENGINE: the plugin is missing or does not work here (the text says what to install); ERROR_ARGUMENT: the path
 * is taken, or an option is out of range; ERROR_WRITE: the folder cannot be written. */
SURROGATE_API int surrogate_recorder_open(surrogate_recorder **recorder, const char *path,
                                          const surrogate_recorder_options *options);

/* Add the frame of time `time`: `count` fields, all named, in any strides, of one spatial shape (and batch); host
 * memory. Names, units, shapes and components (and dtypes, if precision is 0) are those of the first frame, else
 * ERROR_FIELD, ERROR_UNIT, ERROR_SHAPE, ERROR_DTYPE; times are finite and increase, else ERROR_ARGUMENT.  ERROR_WRITE:
 * the disk is full or gone; the frame is not there, the earlier ones are, and a later write may succeed. */
SURROGATE_API int surrogate_recorder_write(surrogate_recorder *recorder, double time, const surrogate_field *fields,
                                           size_t count);

/* ---- A frame that several processes fill, each with its blocks of the domain.  surrogate_mpi.h does all of it.  One
 * process holds the recorder, and no process need hold a whole field:
 *     surrogate_recorder_lay_out(rec, &path, offsets, t, fields, n);             (fields of the whole domain, no data)
 *     (path and offsets are told; every process packs its blocks and writes their rows into the file `path`)
 *     surrogate_recorder_settle(rec, all_wrote);
 * The laid-out file is complete but for the values of the fields, and no reader looks at it: it is no frame until
 * _settle has given it its name, and whatever a kill leaves of it is removed with the folder.
 *
 * _lay_out  as surrogate_recorder_write, but the fields' data and strides are not read.  offsets[count]: byte of the
 *           file *path at which field i begins: dense in the machine's own bytes, axes (trajectories, cells slowest
 *           first, components), dtype options.precision or the field's own.  The space is reserved where the file
 *           system can do so.  *path lives until _settle.  Until then _write and _lay_out are ERROR_ARGUMENT, and
 *           _close drops the frame.  ERROR_UNSUPPORTED on a machine that stores the highest byte first.
 * _settle   keep != 0: every value is in the file; the frame counts as written.  0: it is dropped.  ERROR_WRITE: it
 *           could not be kept, and is dropped.
 * _pack     any strides to dense cells in that order, as `dtype`.  *size: room in `block` in bytes; then what the block
 *           takes.  block NULL: check the field and tell its size only.  Needs no recorder. */
SURROGATE_API int surrogate_recorder_lay_out(surrogate_recorder *recorder, const char **path, uint64_t *offsets,
                                             double time, const surrogate_field *fields, size_t count);
SURROGATE_API int surrogate_recorder_settle(surrogate_recorder *recorder, int keep);
SURROGATE_API int surrogate_recorder_pack(void *block, size_t *size, const surrogate_field *field, int dtype);

/* End the recording and free the handle, whatever is returned.  A recording without frames leaves no file.
 * ERROR_WRITE: the frames could not be joined and stay readable as they are.  NULL is allowed. */
SURROGATE_API int surrogate_recorder_close(surrogate_recorder *recorder);

#ifdef __cplusplus
}
#endif
#endif
