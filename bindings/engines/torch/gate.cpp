// The door of the torch engine: what libsurrogate opens.  It links no torch, so that it loads beside any version of it,
// and opens the engine proper only when the torch of this process is the one that the engine was compiled against.
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "engine.h"
#include "surrogate/surrogate.h"

namespace {

constexpr const char *kTorch = "libtorch_cpu.so";
constexpr const char *kRelease = SURROGATE_TORCH_RELEASE;

int refuse(surrogate_engine_error *error, const std::string &reason) {
    if (error != nullptr && error->text != nullptr && error->size > 0)
        std::snprintf(error->text, error->size,
                      "torch engine built for torch %s: %s; run `surrogate engine build torch` in the environment "
                      "whose torch is to be used",
                      kRelease, reason.c_str());
    return SURROGATE_ERROR_ENGINE;
}

std::string loader_message() {
    const char *text = dlerror();
    return text != nullptr ? text : "no reason given";
}

std::string file_of(void *address) {
    Dl_info place{};
    return dladdr(address, &place) != 0 && place.dli_fname != nullptr ? place.dli_fname : "";
}

// aoti_torch_abi_version packs a release as bytes: major, minor, patch, then five others.
std::string release_of(uint64_t version) {
    auto byte = [version](int shift) { return std::to_string((version >> shift) & 0xff); };
    return byte(56) + "." + byte(48) + "." + byte(40);
}

// Empty if the torch of this process (already loaded by the host, or else the one on our run path) is ours.
std::string why_not_this_torch() {
    const bool was_loaded = dlopen(kTorch, RTLD_LAZY | RTLD_NOLOAD) != nullptr;
    void *torch = dlopen(kTorch, RTLD_LAZY | RTLD_LOCAL); // never closed: torch cannot be unloaded
    if (torch == nullptr)
        return "it cannot be loaded, expected it in " SURROGATE_TORCH_ROOT "/lib (" + loader_message() + ")";
    using version_function = uint64_t (*)();
    auto version = reinterpret_cast<version_function>(dlsym(torch, "aoti_torch_abi_version"));
    const std::string running = version != nullptr ? release_of(version()) : "of an unknown, older version";
    if (running == kRelease)
        return "";
    const std::string file = file_of(dlsym(torch, "aoti_torch_create_tensor_from_blob"));
    return (was_loaded ? "this process already runs torch " : "the torch found now is ") + running +
           (file.empty() ? "" : " (" + file + ")");
}

// The engine proper stands beside this file.
std::string engine_file() {
    const std::string self = file_of(reinterpret_cast<void *>(&engine_file));
    return self.substr(0, self.rfind('/') + 1) + "libsurrogate_torch-" SURROGATE_TORCH_RELEASE ".so";
}

} // namespace

extern "C" __attribute__((visibility("default"))) int
surrogate_engine_entry(const surrogate_engine **engine, uint32_t abi, surrogate_engine_error *error) {
    try {
        if (abi != SURROGATE_ENGINE_ABI)
            return refuse(error, "it speaks engine interface " + std::to_string(SURROGATE_ENGINE_ABI) +
                                     ", this libsurrogate speaks " + std::to_string(abi));
        if (const std::string reason = why_not_this_torch(); !reason.empty())
            return refuse(error, reason);
        const std::string file = engine_file();
        void *library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr)
            return refuse(error, "it cannot be loaded (" + loader_message() + ")");
        using table_function = const surrogate_engine *(*)();
        auto table = reinterpret_cast<table_function>(dlsym(library, "surrogate_torch_engine"));
        if (table == nullptr)
            return refuse(error, file + " is not the engine (" + loader_message() + ")");
        *engine = table();
        return SURROGATE_OK;
    } catch (...) {
        return refuse(error, "out of memory");
    }
}
