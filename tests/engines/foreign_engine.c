/* A plugin that cannot work here: WRONG_ABI speaks another interface, else it names another torch. */
#include <stdio.h>

#include "engine.h"
#include "surrogate/surrogate.h"

static const surrogate_engine table = {SURROGATE_ENGINE_ABI + 1, "torch", "torch 9.9.9", 0, 0, 0};

int surrogate_engine_entry(const surrogate_engine **engine, uint32_t abi, surrogate_engine_error *error) {
    (void)abi;
#ifdef WRONG_ABI
    (void)error;
    *engine = &table;
    return 0;
#else
    *engine = &table;
    snprintf(error->text, error->size,
             "built for torch 9.9.9, this process runs torch 2.13.0; run `surrogate engine build torch`");
    return SURROGATE_ERROR_ENGINE;
#endif
}
