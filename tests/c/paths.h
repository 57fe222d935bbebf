/* path_in: names of files in a test's folder. */
#ifndef SURROGATE_TESTS_PATHS_H
#define SURROGATE_TESTS_PATHS_H

#include <stdio.h>

/* FOLDER/NAME, valid until the fourth call after this one. */
static inline const char *path_in(const char *folder, const char *name) {
    static char path[4][4096];
    static int turn = 0;
    char *to = path[turn++ % 4];
    snprintf(to, sizeof path[0], "%s/%s", folder, name);
    return to;
}

#endif
