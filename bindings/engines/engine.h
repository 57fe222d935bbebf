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

#define SURROGATE_ENGINE_ABI 1
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

typedef struct surrogate_engine_load {
    const char *format; /* "torchscript", "python", "stub": the program's format in the manifest */
    const char *path;   /* file on disk, or NULL if it is in memory only */
    const void *data;   /* the file's bytes, or NULL if `path` is to be read; borrowed during load */
    size_t size;
    const char *device;   /* "cpu", "cuda:0" */
    int32_t threads;      /* 0: leave the number of threads alone */
    int32_t output_count; /* always 1 at ABI 1 */
    const char *options;  /* JSON object of surrogate_open_options.engine_options, or NULL */
    /* The floating-point environment (const fenv_t *) that libsurrogate holds for the calling thread, during any call:
     * workers that the engine starts are the host's afterwards and inherit it.  May be NULL, or return NULL. */
    const void *(*host_environment)(void);
    /* "package.module:name" of a program of format "python" (path and data are NULL where the module is importable);
     * NULL for others.  Appended at ABI 1: an engine that does not know it never reads it. */
    const char *entry;
} surrogate_engine_load;

typedef struct surrogate_program surrogate_program; /* the engine's own */

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
} surrogate_engine;

/* The plugin's only symbol. *engine: static storage of the plugin. Non-zero: it cannot work in this process (for
 * instance another version of torch is loaded), with the reason in `error`. */
typedef int (*surrogate_engine_entry_function)(const surrogate_engine **engine, uint32_t abi,
                                               surrogate_engine_error *error);

#ifdef __cplusplus
}
#endif
#endif
