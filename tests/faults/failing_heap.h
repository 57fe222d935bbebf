// A heap that counts and fails on demand. Include in one source of a program: operator new is replaced for the whole
// process, libsurrogate and the stub engine included.
#ifndef FAILING_HEAP_H
#define FAILING_HEAP_H

#include <atomic>
#include <cstdlib>
#include <new>

namespace heap {

inline std::atomic<long> allocations{0}, live{0}; // so far; not freed yet
inline std::atomic<long> until_failure{-1};       // allocations before one fails; -1: none does
inline std::atomic<bool> lasting{false};          // all after it fail too
inline std::atomic<long> failed{0};
inline std::atomic<std::size_t> smallest{0}; // bytes; smaller allocations never fail

/// Let the n-th allocation from here on fail (n >= 1), and all later ones if `and_all_later`.
inline void fail_at(long n, bool and_all_later) {
    failed = 0;
    lasting = and_all_later;
    until_failure = n - 1;
}
/// Good again; whether an allocation has failed since fail_at.
inline bool recover() {
    until_failure = -1;
    return failed > 0;
}

inline void *get(std::size_t size, std::size_t alignment) {
    ++allocations;
    if (size >= smallest && until_failure >= 0 && until_failure-- <= 0) {
        ++failed;
        until_failure = lasting ? 0 : -1;
        throw std::bad_alloc();
    }
    void *data = alignment ? std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)
                           : std::malloc(size ? size : 1);
    if (!data)
        throw std::bad_alloc();
    ++live;
    return data;
}

inline void put_back(void *data) {
    live -= data != nullptr;
    std::free(data);
}

} // namespace heap

void *operator new(std::size_t size) {
    return heap::get(size, 0);
}
void *operator new(std::size_t size, std::align_val_t alignment) {
    return heap::get(size, static_cast<std::size_t>(alignment));
}
void operator delete(void *data) noexcept {
    heap::put_back(data);
}
void operator delete(void *data, std::size_t) noexcept {
    heap::put_back(data);
}
void operator delete(void *data, std::align_val_t) noexcept {
    heap::put_back(data);
}
void operator delete(void *data, std::size_t, std::align_val_t) noexcept {
    heap::put_back(data);
}

#endif
