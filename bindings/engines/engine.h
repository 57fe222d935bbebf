/* engine.h - the small C interface between libsurrogate and an engine plugin.  Not the user's API;
 * installed with the torch engine's sources, because `surrogate engine build` compiles them on the user's machine.
 *
 * An engine is a shared library `libsurrogate_engine_<name>*.so` (for instance libsurrogate_engine_torch-2.13.0.so)
 * that exports exactly one symbol, `surrogate_engine_entry`.  libsurrogate finds it beside itself or on
 * SURROGATE_ENGINE_PATH, opens it with dlopen(RTLD_NOW | RTLD_LOCAL) and never closes it.
 *
 * Rules: an engine never throws across this interface, never exits or prints.  libsurrogate serialises all calls on
 * one program and holds the floating-point environment of the calling thread; an engine guards its own workers. */
#ifndef SURROGATE_ENGINE_H
#define SURROGATE_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SURROGATE_ENGINE_ABI 3
#define SURROGATE_ENGINE_MAX_RANK 6

/* A dense, C-ordered tensor. dtype and memory: enum surrogate_dtype, enum surrogate_memory of surrogate.h. */
typedef struct surrogate_tensor {
    void *data;
    int32_t dtype;
    int32_t memory;
    int32_t device;
    int32_t rank;
    int64_t shape[SURROGATE_ENGINE_MAX_RANK];
} surrogate_tensor;

/* Where an engine writes the text of a failure (always NUL-terminated, cut at `size`). */
typedef struct surrogate_engine_error {
    char *text;
    size_t size;
} surrogate_engine_error;

typedef struct surrogate_program surrogate_program; /* the engine's own */

typedef struct surrogate_engine_load {
    const char *format; /* "torchscript", "aoti", "python", "stub": the program's format in the manifest */
    const char *path;   /* file or unpacked package folder on disk, or NULL if it is in memory only */
    const void *data;   /* the file's bytes, or NULL if `path` is to be read; borrowed during load */
    size_t size;
    const char *device;   /* "cpu", "cuda:0" */
    int32_t threads;      /* 0: leave the number of threads alone */
    int32_t output_count; /* always 1 at ABI 3 */
    const char *options;  /* JSON object of surrogate_open_options.engine_options, or NULL */
    /* The floating-point environment (const fenv_t *) that libsurrogate holds for the calling thread, during any call:
     * workers that the engine starts are the host's afterwards and inherit it.  May be NULL, or return NULL. */
    const void *(*host_environment)(void);
    /* "package.module:name" of a program of format "python" (path and data are NULL where the module is importable);
     * NULL for others. */
    const char *entry;
    int32_t input_count; /* tensors of a run: the state, parameters if the model has any, noise inputs */
    const char *method;  /* of a file that holds several programs: which of them; NULL: its only one */
    /* A program of this engine that was loaded from the same file for the same model, or NULL: weights may be shared
     * with it.  It may be destroyed before the new one; calls on the two are serialised as those on one. */
    surrogate_program *sibling;
} surrogate_engine_load;

/* ---- Passes in the engine: the caller's fields stay where they are, in CUDA memory, and never touch the host.
 * libsurrogate describes every channel; the engine packs, runs, counts and writes; libsurrogate decides from the
 * numbers.  An engine without them has NULL there and is given host memory only. */

/* One channel as it is read: x = (u - mean) * inverse in the caller's precision, then float32. */
typedef struct surrogate_engine_source {
    const void *data;                    /* cell [0]..[0] of state 0 */
    int64_t batch_stride;                /* bytes to the next state */
    int64_t strides[3];                  /* bytes to the next cell, slowest axis first, any sign; unused axes 0 */
    double mean, inverse;                /* of the normalisation */
    double lower, upper;                 /* limits of u, both admitted; -inf and +inf: none */
    double trained_lower, trained_upper; /* range seen in training; -inf and +inf: not known */
} surrogate_engine_source;

/* One predicted channel: jump = offset + scale * y, u' = u + jump or u' = jump, in the caller's precision. */
typedef struct surrogate_engine_target {
    void *data; /* as in surrogate_engine_source; may be its source's memory; ignored by device_run */
    int64_t batch_stride;
    int64_t strides[3];
    int32_t source;    /* index of the source with the same quantity, u */
    int32_t increment; /* 1: u' = u + jump; 0: u' = jump */
    double offset, scale;
    double lower, upper; /* limits of u', as in surrogate_engine_source */
    int32_t clip;        /* 1: u' is put into lower..upper, and none of it is out of bounds */
} surrogate_engine_target;

/* The channels of a call, and what they have in common. */
typedef struct surrogate_engine_layout {
    int32_t dtype, memory, device; /* of sources and targets: enum surrogate_dtype, enum surrogate_memory, ordinal */
    int32_t rank;                  /* 1, 2 or 3 spatial axes: the first `rank` entries of shape and strides count */
    int64_t batch;
    int64_t shape[3];
    const surrogate_engine_source *sources; /* in the order of the program's input channels */
    int32_t source_count;
    const surrogate_engine_target *targets; /* in the order of the program's output channels */
    int32_t target_count;
    int32_t finite;       /* 1: a value that is not finite is an offender */
    int32_t moments;      /* 1: also `outside` and the sums are wanted; 0: they are left 0 */
    const double *shifts; /* device_write: [batch][target_count], added to u' (restores integrals); NULL: none */
} surrogate_engine_layout;

/* What one channel of one state holds, over its cells; counts and sums in double. */
typedef struct surrogate_engine_sums {
    double not_finite; /* values that are infinite or NaN (sources: or whose float32 x is), if layout.finite; else 0 */
    double out_of_bounds; /* other values for which lower <= u <= upper does not hold */
    double outside;       /* sources: values outside the trained range; targets: values that `clip` changed */
    double sum, square;   /* of d and d^2: d = u - mean of sources, u' - u of targets (after clip) */
    double absolute;      /* of |u|; sources only */
    int64_t offender;     /* cell of the first value in not_finite, or else in out_of_bounds; -1: none */
    double offending;     /* that value */
} surrogate_engine_sums;

/* Status: 0, or SURROGATE_ERROR_* of surrogate.h with the error's text filled. */
typedef struct surrogate_engine {
    uint32_t abi;        /* SURROGATE_ENGINE_ABI it was compiled with */
    const char *name;    /* "torch" */
    const char *version; /* "torch 2.13.0": compiled against and running with */
    int (*load)(surrogate_program **program, const surrogate_engine_load *request, surrogate_engine_error *error);
    /* inputs: dense float32, the state (B, C, ny, nx) first, then parameters (B, P), then noise; borrowed.
     * *output: filled with the result (B, C_out, ny, nx), dense float32, owned by the program and valid until the next
     * run or destroy. stream: CUDA stream of the caller, or NULL. */
    int (*run)(surrogate_program *program, surrogate_tensor *output, const surrogate_tensor *inputs,
               int32_t input_count, void *stream, surrogate_engine_error *error);
    void (*destroy)(surrogate_program *program);
    /* Passes of the engine, NULL if it has none; both or neither.
     * device_run: pack the sources, run the program on them and `inputs` (what follows the state: parameters, noise;
     * dense float32 in host memory, borrowed), and fill sources[batch][source_count] and targets[batch][target_count]
     * with the sums of what was read and of what would be written.  Nothing of the caller's is written.  It waits for
     * `stream`.
     *
     * device_write: write the frame of the last device_run, whose layout was the same.  Enqueued on `stream`.
     *
     * stream: cudaStream_t of the caller, NULL: the default stream.  The current CUDA device is put back. */
    int (*device_run)(surrogate_program *program, surrogate_engine_sums *sources, surrogate_engine_sums *targets,
                      const surrogate_engine_layout *layout, const surrogate_tensor *inputs, int32_t input_count,
                      void *stream, surrogate_engine_error *error);
    int (*device_write)(surrogate_program *program, const surrogate_engine_layout *layout, void *stream,
                        surrogate_engine_error *error);
} surrogate_engine;

/* The plugin's only symbol. *engine: static storage of the plugin. Non-zero: it cannot work in this process (for
 * instance another version of torch is loaded), with the reason in `error`. */
typedef int (*surrogate_engine_entry_function)(const surrogate_engine **engine, uint32_t abi,
                                               surrogate_engine_error *error);

#ifdef __cplusplus
}
#endif
#endif
