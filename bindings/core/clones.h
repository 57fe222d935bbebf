// One function compiled for several instruction sets, chosen when the library is loaded.
#pragma once

#if defined(__x86_64__) && defined(__ELF__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(SURROGATE_NO_CLONES) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SURROGATE_HAS_CLONES
#define SURROGATE_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#define SURROGATE_TARGET(set) __attribute__((target(set))) // one of several definitions, each for its set
#else
#define SURROGATE_CLONES
#define SURROGATE_TARGET(set)
#endif
#define SURROGATE_INLINE static inline __attribute__((always_inline))
