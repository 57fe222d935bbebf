/* A driver of FAKE_GPUS GPUs, as far as ranks are shared out to them. FAKE_FIRST: the number of the first one that this
 * process sees, as CUDA_VISIBLE_DEVICES would have it. */
#include <stdlib.h>
#include <string.h>

static int number(const char *name) {
    const char *value = getenv(name);
    return value ? atoi(value) : 0;
}

int cuInit(unsigned flags) {
    return flags == 0 && getenv("FAKE_GPUS") ? 0 : 100;
}

int cuDeviceGetCount(int *count) {
    *count = number("FAKE_GPUS");
    return 0;
}

int cuDeviceGet(int *device, int ordinal) {
    *device = ordinal;
    return ordinal < number("FAKE_GPUS") ? 0 : 101;
}

int cuDeviceGetUuid(void *uuid, int device) {
    memset(uuid, 0, 16);
    ((char *)uuid)[3] = (char)(1 + device + number("FAKE_FIRST"));
    return 0;
}
