// What this machine is, as far as compiled programs depend on it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace surrogate::core {

struct Host {
    std::string cpu;                       // model name; else the kind of machine ("aarch64")
    std::vector<std::string> instructions; // flags of /proc/cpuinfo, sorted; empty if the system does not tell

    /// The first of `needed` that this CPU lacks; "" if it has all.
    std::string lacks(const std::vector<std::string> &needed) const;
};

/// This machine; looked at once a process. A CPU that cannot be read has no instruction set at all.
const Host &this_host();

/// Read the text of /proc/cpuinfo, of an x86 ("flags") or an ARM ("Features").
Host parse_cpuinfo(const std::string &text);

/// "9.0" for device "cuda:0"; "" if the driver knows no such GPU. Loads the driver's library.
std::string compute_capability(const std::string &device);

/// One number for each GPU that the driver shows this process, in its order, the same in all processes of the machine;
/// none without a driver. Loads the driver's library.
std::vector<std::uint64_t> gpu_ids();

/// CPU threads that OpenMP would use: OMP_NUM_THREADS, else the cores this process may run on.
int default_threads();

} // namespace surrogate::core
