#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char text[1024];

int fail(const char *format, ...) {
    char given[sizeof text];
    va_list args;
    va_start(args, format);
    vsnprintf(given, sizeof given, format, args);
    va_end(args);
    if (*given)
        memcpy(text, given, sizeof text);
    return -1;
}

const char *last_error(void) {
    return text;
}
