/* test_memory FOLDER | BUNDLE SIZE CALLS: after a warm-up, memory stays flat over many predictions, accepted, rejected
 * and failed ones, in float32 and in double, and over opening and closing. */
#define _GNU_SOURCE
#include "check.h"

#include <malloc.h>
#include <math.h>
#include <unistd.h>

enum { LARGEST = 8 * 64 * 64, MEGABYTE = 1 << 20 };

static double now[LARGEST], next[LARGEST];
static float single[LARGEST], single_next[LARGEST];

/* Bytes of the process in memory. */
static long long resident(void) {
    long long size = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        CHECK(fscanf(file, "%lld %lld", &size, &pages) == 2);
        fclose(file);
    }
    return pages * sysconf(_SC_PAGESIZE);
}

/* Bytes that malloc has handed out, of all libraries in the process. */
static long long allocated(void) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    const struct mallinfo2 info = mallinfo2();
    return (long long)(info.uordblks + info.hblkhd);
#else
    return 0;
#endif
}

static void predict(surrogate_model *model, long calls, const int64_t *shape) {
    long i;
    for (i = 0; i < calls; ++i) {
        int status, expected = SURROGATE_OK;
        now[1] = 1;
        if (i % 16 == 5) {
            now[1] = NAN;
            expected = SURROGATE_REJECTED;
        }
        if (i % 16 == 9) {
            expected = SURROGATE_ERROR_DTYPE;
            status = surrogate_predict_array(model, next, now, 99, 3, shape, NULL);
        } else if (i % 2 || expected) {
            status = surrogate_predict_array(model, next, now, SURROGATE_FLOAT64, 3, shape, NULL);
        } else {
            status = surrogate_predict_array(model, single_next, single, SURROGATE_FLOAT32, 3, shape, NULL);
        }
        if (status != expected &&
            !(status == SURROGATE_REJECTED && expected == SURROGATE_OK)) /* guards of a real model */
            CHECK_STATUS(status, expected, "");
    }
}

static void opens_and_closes(const char *path, long count) {
    surrogate_model *model;
    long i;
    for (i = 0; i < count; ++i) {
        CHECK_STATUS(surrogate_open(&model, path, NULL), SURROGATE_OK, "");
        surrogate_close(model);
        CHECK_STATUS(surrogate_open(&model, "/nowhere.surrogate", NULL), SURROGATE_ERROR_NOT_FOUND, "");
    }
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { JUDGED = 0, CALLS = 10000 }; /* a sanitizer keeps memory of its own */
#else
enum { JUDGED = 1, CALLS = 1000000 };
#endif

static void flat(const char *what, long count, long long resident_before, long long allocated_before) {
    const long long grown = resident() - resident_before, held = allocated() - allocated_before;
    printf("%ld %s: resident %+lld bytes, heap %+lld bytes\n", count, what, grown, held);
    CHECK(!JUDGED || grown <= MEGABYTE);
    CHECK(!JUDGED || held <= MEGABYTE / 64);
}

int main(int argc, char **argv) {
    surrogate_model *model = NULL;
    const int64_t size = argc > 3 ? atol(argv[2]) : 8;
    const long calls = argc > 3 ? atol(argv[3]) : CALLS, opens = argc > 3 ? 0 : 1000;
    long long before, held;
    const char *path;
    int64_t shape[3];
    surrogate_info info;
    long i;
    start(argc, argv);
    path = argc > 3 ? argv[1] : bundle("identity");
    info.struct_size = sizeof info;
    for (i = 0; i < LARGEST; ++i)
        now[i] = single[i] = 1;
    CHECK_STATUS(surrogate_open(&model, path, NULL), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_get_info(model, &info), SURROGATE_OK, "");
    shape[0] = info.channel_count;
    shape[1] = shape[2] = size;
    predict(model, calls / 20 + 32, shape);
    before = resident();
    held = allocated();
    predict(model, calls, shape);
    flat("predictions", calls, before, held);
    surrogate_close(model);
    opens_and_closes(path, opens / 2); /* closed handles are kept, up to a number */
    before = resident();
    held = allocated();
    opens_and_closes(path, opens);
    flat("opens and closes", opens, before, held);
    return finish();
}
