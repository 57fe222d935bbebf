// One function compiled for several instruction sets, chosen when the library is loaded.
#pragma once

#if defined(__x86_64__) && defined(__ELF__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(SURROGATE_NO_CLONES) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SURROGATE_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SURROGATE_CLONES
#endif
#define SURROGATE_INLINE static inline __attribute__((always_inline))
