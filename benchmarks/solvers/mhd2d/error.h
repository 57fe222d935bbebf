/* Errors: a fallible function returns 0 or -1 and leaves a text here. Only main() prints it and stops. */
#ifndef MHD2D_ERROR_H
#define MHD2D_ERROR_H

#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
/* Keep a text (where, what was given, what was expected, what to do) and return -1. */
int fail(const char *format, ...);

/* The text of this rank's last error; empty if there was none. */
const char *last_error(void);

#endif
