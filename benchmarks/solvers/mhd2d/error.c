#include "error.h"

#include <stdarg.h>
#include <stdio.h>

static char text[1024];

int fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return -1;
}

const char *last_error(void) {
    return text;
}
