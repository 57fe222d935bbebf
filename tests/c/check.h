/* Checks for the tests of the C API: a failed one is printed with its place, and the test goes on. */
#ifndef CHECK_H
#define CHECK_H

#include <surrogate/surrogate.h>

#ifdef __cplusplus
#include <cstdio>
#include <cstdlib>
#include <cstring>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__cplusplus)
#define SURROGATE_TEST_THREAD thread_local
#else
#define SURROGATE_TEST_THREAD __thread
#endif

static int failures = 0;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            ++failures;                                                                                                \
        }                                                                                                              \
    } while (0)

/* `call` returns `expected`; if it is no OK, the text holds `part`. */
#define CHECK_STATUS(call, expected, part) check_status((call), (expected), (part), __FILE__, __LINE__, #call)

static inline int check_status(int status, int expected, const char *part, const char *file, int line,
                               const char *call) {
    if (status != expected) {
        fprintf(stderr, "%s:%d: %s returned %s, expected %s: %s\n", file, line, call, surrogate_status_name(status),
                surrogate_status_name(expected), surrogate_last_error());
        ++failures;
    } else if (expected != SURROGATE_OK && !strstr(surrogate_last_error(), part)) {
        fprintf(stderr, "%s:%d: '%s' does not stand in: %s\n", file, line, part, surrogate_last_error());
        ++failures;
    }
    return status == expected;
}

/* Path of a bundle that make_bundles.py wrote; argv[1] is its folder. */
static const char *bundles = "";

static inline const char *bundle(const char *name) {
    static SURROGATE_TEST_THREAD char path[4096];
    snprintf(path, sizeof path, "%s/%s.surrogate", bundles, name);
    return path;
}

static inline surrogate_model *open_bundle(const char *name) {
    surrogate_model *model = NULL;
    if (surrogate_open(&model, bundle(name), NULL) != SURROGATE_OK) {
        fprintf(stderr, "cannot open %s: %s\n", name, surrogate_last_error());
        exit(1);
    }
    return model;
}

static inline void start(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "give the folder that make_bundles.py wrote\n");
        exit(2);
    }
    bundles = argv[1];
}

static inline int finish(void) {
    if (failures)
        fprintf(stderr, "%d checks failed\n", failures);
    return failures != 0;
}

#endif
