/* Engines that cannot be used; CMakeLists.txt compiles one for each BROKEN_... below. */
#include "../../bindings/engines/engine.h"

#include <stdio.h>

#if defined(BROKEN_HALF_PASSES) /* packs and runs where the fields are, and cannot write there */
static int device_run(surrogate_program *program, surrogate_engine_sums *sources, surrogate_engine_sums *targets,
                      const surrogate_engine_layout *layout, const surrogate_tensor *inputs, int32_t count,
                      void *stream, surrogate_engine_error *error) {
    (void)program, (void)sources, (void)targets, (void)layout, (void)inputs, (void)count, (void)stream, (void)error;
    return 0;
}
#endif

static int load(surrogate_program **program, const surrogate_engine_load *request, surrogate_engine_error *error) {
    (void)request, (void)error;
#if defined(BROKEN_HALF_PASSES)
    static int loaded;
    *program = (surrogate_program *)&loaded;
#else
    *program = NULL; /* success, and no program */
#endif
    return 0;
}

static int run(surrogate_program *program, surrogate_tensor *output, const surrogate_tensor *inputs, int32_t count,
               void *stream, surrogate_engine_error *error) {
    (void)program, (void)output, (void)inputs, (void)count, (void)stream, (void)error;
    return -11;
}

static void destroy(surrogate_program *program) {
    (void)program;
}

static surrogate_engine engine;

#ifndef BROKEN_SYMBOL
__attribute__((visibility("default")))
#else
static
    __attribute__((unused))
#endif
int surrogate_engine_entry(const surrogate_engine **entry, uint32_t abi, surrogate_engine_error *error) {
    engine.abi = abi;
    engine.name = ENGINE_NAME;
    engine.version = "broken 1";
    engine.load = load;
    engine.run = run;
    engine.destroy = destroy;
#if defined(BROKEN_HALF_PASSES)
    engine.device_run = device_run;
#endif
    *entry = &engine;
#if defined(BROKEN_ABI)
    engine.abi = abi + 1;
#elif defined(BROKEN_NAME)
    engine.name = "somebody else";
#elif defined(BROKEN_NO_NAME)
    engine.name = NULL;
#elif defined(BROKEN_NOTHING)
    *entry = NULL;
#elif defined(BROKEN_FUNCTION)
    engine.run = NULL;
#elif defined(BROKEN_ENTRY)
    snprintf(error->text, error->size, "this process holds another version of it");
    return -10;
#endif
    (void)error;
    return 0;
}
