#include "team.hpp"

#include <ATen/Parallel.h>
#include <fenv.h>
#include <omp.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include <vector>

namespace surrogate_torch {
namespace {

// What this thread, as master of a team, knows of its workers.
struct Pool {
    std::vector<fenv_t> environments; // by number in the team; [0] is not used
    int seen = 0;                     // largest team looked at so far
    bool unusual = false;             // a worker once had an environment that is not the default
};

thread_local Pool pool;

// No traps, rounding to nearest, denormals kept.
bool is_default_environment() {
#if defined(__SSE__)
    constexpr unsigned kFlags = 0x3f, kDefault = 0x1f80;
    if ((_mm_getcsr() & ~kFlags) != kDefault)
        return false; // glibc's fegetexcept looks at the x87 unit only
#endif
    return fegetexcept() == 0 && fegetround() == FE_TONEAREST;
}

bool is_unusual(const fenv_t *host) {
    if (host == nullptr)
        return true; // unknown: look
    fesetenv(host);
    const bool unusual = !is_default_environment();
    fesetenv(FE_DFL_ENV);
    return unusual;
}

// No `num_threads` clause here: libgomp leaks and rebuilds its pool under a changing one (pytorch issue 32008).
bool hold_workers(int team_size, const fenv_t *host) {
    if (pool.environments.size() < static_cast<size_t>(team_size))
        pool.environments.resize(static_cast<size_t>(team_size));
    fenv_t *environments = pool.environments.data();
    int unusual = 0;
    if (host != nullptr)
        fesetenv(host); // workers that start here inherit it
#pragma omp parallel reduction(+ : unusual)
    {
        const int worker = omp_get_thread_num();
        if (worker > 0 && worker < team_size) {
            fegetenv(&environments[worker]);
            if (!is_default_environment()) {
                unusual += 1;
                fesetenv(FE_DFL_ENV);
            }
        }
    }
    if (host != nullptr)
        fesetenv(FE_DFL_ENV);
    return unusual > 0;
}

// By number, so that a worker which libgomp made anew in between gets its predecessor's.
void release_workers(int team_size) {
    const fenv_t *environments = pool.environments.data();
#pragma omp parallel
    {
        const int worker = omp_get_thread_num();
        if (worker > 0 && worker < team_size)
            fesetenv(&environments[worker]);
    }
}

// torch sets a thread's number of threads once, when the thread first enters it: here, not inside the first operator.
void introduce_thread_to_torch() {
    thread_local bool known = false;
    if (!known)
        at::get_num_threads();
    known = true;
}

} // namespace

Team::Team(int threads, HostEnvironment host_environment) : host_threads_(omp_get_max_threads()) {
    introduce_thread_to_torch();
    const int wanted = threads > 0 ? threads : host_threads_;
    if (wanted != omp_get_max_threads())
        omp_set_num_threads(wanted);
    if (wanted < 2 || omp_in_parallel())
        return;
    const auto *host = static_cast<const fenv_t *>(host_environment != nullptr ? host_environment() : nullptr);
    if (wanted <= pool.seen && !pool.unusual && !is_unusual(host))
        return;
    holds_ = hold_workers(wanted, host);
    pool.unusual = pool.unusual || holds_;
    if (wanted > pool.seen)
        pool.seen = wanted;
}

Team::~Team() {
    if (holds_)
        release_workers(omp_get_max_threads());
    if (omp_get_max_threads() != host_threads_)
        omp_set_num_threads(host_threads_);
}

} // namespace surrogate_torch
