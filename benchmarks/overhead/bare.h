/* The bare torch loop, in a library of its own so that the measuring program needs no torch headers. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bare_model bare_model;

/* A TorchScript file, or an AOTInductor package (NAME.pt2). NULL: stderr says why. */
bare_model *bare_open(const char *path);
/* shape: (1, C, ny, nx) of both arrays. */
void bare_run(bare_model *model, float *output, float *input, const int64_t *shape);
void bare_close(bare_model *model);

#ifdef __cplusplus
}
#endif
