// The OpenMP side of one run, as a good guest: how many workers take part, and their floating-point environments.
//
// - torch asks omp_get_max_threads() of the calling thread before each parallel region, so setting that one number
//   sets torch's threads.  at::set_num_threads is never called: it is process-wide and empties oneDNN's caches.
//   torch itself sets it when a thread first enters torch; the host's value is put back in any case.
// - A host built with -ffpe-trap (or after feenableexcept) owns workers with traps enabled, and torch uses the same
//   pool, since both find one libgomp.  Each worker's environment is held during the run and put back after it.
//   Workers that start here inherit the host's environment, as if the host had started them.
//   The calling thread's own environment is held by libsurrogate.
// - At one thread all this costs nothing.  With more, one parallel region looks at the workers: in the first run of a
//   thread, and later wherever the host has an environment that is not the default or a worker once had one.
#pragma once

namespace surrogate_torch {

using HostEnvironment = const void *(*)(); // surrogate_engine_load.host_environment

class Team {
  public:
    Team(int threads, HostEnvironment host); // threads 0: as many as the host has
    ~Team();
    Team(const Team &) = delete;
    Team &operator=(const Team &) = delete;

  private:
    int host_threads_;
    bool holds_ = false; // some worker's environment is held now
};

} // namespace surrogate_torch
