#include "allocations.h"

#include <cerrno>
#include <cstddef>

namespace {
thread_local int64_t count = 0;
}

int64_t allocations() {
    return count;
}

// glibc's own functions under their internal names; everything that is not replaced here ends in one of them.
extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

void *malloc(size_t size) {
    ++count;
    return __libc_malloc(size);
}
void *calloc(size_t number, size_t size) {
    ++count;
    return __libc_calloc(number, size);
}
void *realloc(void *old, size_t size) {
    ++count;
    return __libc_realloc(old, size);
}
void *memalign(size_t alignment, size_t size) {
    ++count;
    return __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}
int posix_memalign(void **memory, size_t alignment, size_t size) {
    *memory = memalign(alignment, size);
    return *memory != nullptr ? 0 : ENOMEM;
}
void free(void *memory) {
    __libc_free(memory);
}
}
