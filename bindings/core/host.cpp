#include "host.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <memory>
#include <sched.h>
#include <sys/utsname.h>

namespace surrogate::core {

namespace {

std::string trimmed(const std::string &text) {
    const auto first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t\r");
    return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

std::vector<std::string> words(const std::string &text) {
    std::vector<std::string> found;
    for (std::size_t at = text.find_first_not_of(' '); at != std::string::npos;) {
        const auto end = std::min(text.find(' ', at), text.size());
        found.push_back(text.substr(at, end - at));
        at = text.find_first_not_of(' ', end);
    }
    return found;
}

std::string read_text(const char *path) {
    struct Close {
        void operator()(std::FILE *file) const { std::fclose(file); }
    };
    const std::unique_ptr<std::FILE, Close> file(std::fopen(path, "re"));
    std::string text;
    char part[4096];
    while (file) {
        const std::size_t n = std::fread(part, 1, sizeof part, file.get());
        if (n == 0)
            break;
        text.append(part, n);
    }
    return text;
}

} // namespace

std::string Host::lacks(const std::vector<std::string> &needed) const {
    for (const auto &flag : needed)
        if (!std::binary_search(instructions.begin(), instructions.end(), flag))
            return flag;
    return "";
}

Host parse_cpuinfo(const std::string &text) {
    Host host;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        const std::string line = text.substr(start, end - start);
        start = end + 1;
        const auto colon = line.find(':');
        if (colon == std::string::npos)
            continue;
        const std::string key = trimmed(line.substr(0, colon)), value = trimmed(line.substr(colon + 1));
        if (key == "model name" && host.cpu.empty())
            host.cpu = value;
        else if ((key == "flags" || key == "Features") && host.instructions.empty())
            host.instructions = words(value);
    }
    std::sort(host.instructions.begin(), host.instructions.end());
    return host;
}

const Host &this_host() {
    static const Host host = [] {
        Host read = parse_cpuinfo(read_text("/proc/cpuinfo"));
        utsname system{};
        if (read.cpu.empty() && ::uname(&system) == 0) // ARM has no model name
            read.cpu = system.machine;
        return read;
    }();
    return host;
}

/// A function of the driver's interface, which is stable, once the driver works; NULL if it does not.
template <class Function> static Function driver_function(const char *name) {
    void *driver = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL); // never closed: engines use it too
    const auto initialise = driver ? reinterpret_cast<int (*)(unsigned)>(::dlsym(driver, "cuInit")) : nullptr;
    return initialise && initialise(0) == 0 ? reinterpret_cast<Function>(::dlsym(driver, name)) : nullptr;
}

std::string compute_capability(const std::string &device) {
    const int ordinal = device.compare(0, 5, "cuda:") == 0 ? std::atoi(device.c_str() + 5) : 0;
    // Attributes 75 and 76 are the capability's two numbers.
    const auto find = driver_function<int (*)(int *, int)>("cuDeviceGet");
    const auto attribute = driver_function<int (*)(int *, int, int)>("cuDeviceGetAttribute");
    int handle = 0, major = 0, minor = 0;
    const bool known = find && attribute && find(&handle, ordinal) == 0 && attribute(&major, 75, handle) == 0 &&
                       attribute(&minor, 76, handle) == 0;
    return known ? std::to_string(major) + "." + std::to_string(minor) : "";
}

std::vector<std::uint64_t> gpu_ids() {
    const auto get_count = driver_function<int (*)(int *)>("cuDeviceGetCount");
    const auto find = driver_function<int (*)(int *, int)>("cuDeviceGet");
    const auto get_uuid = driver_function<int (*)(void *, int)>("cuDeviceGetUuid");
    int count = 0;
    if (!get_count || get_count(&count) != 0)
        return {};
    std::vector<std::uint64_t> ids;
    for (int ordinal = 0; ordinal < count; ++ordinal) {
        int handle = 0;
        std::uint64_t uuid[2] = {static_cast<std::uint64_t>(ordinal), 0};
        if (find && get_uuid && find(&handle, ordinal) == 0)
            get_uuid(uuid, handle);
        ids.push_back(uuid[0] ^ (uuid[1] << 1 | uuid[1] >> 63));
    }
    return ids;
}

int default_threads() {
    if (const char *given = std::getenv("OMP_NUM_THREADS"))
        if (const int threads = std::atoi(given); threads > 0)
            return threads;
    cpu_set_t allowed;
    const bool known = ::sched_getaffinity(0, sizeof allowed, &allowed) == 0;
    return known ? std::max(1, CPU_COUNT(&allowed)) : 1;
}

} // namespace surrogate::core
