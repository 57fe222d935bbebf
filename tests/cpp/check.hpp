// The one macro of these tests: what does not hold is named, and the program ends with 1.
#pragma once
#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                        \
            std::exit(1);                                                                                              \
        }                                                                                                              \
    } while (false)
