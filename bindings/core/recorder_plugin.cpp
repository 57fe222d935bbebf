#include "recorder_plugin.h"

#include "engine_registry.h"
#include "error.h"
#include "plugins.h"

#include <mutex>

namespace surrogate::core {

/// The plugin in a shared library, or nullptr and why not.
static const surrogate_recorder_plugin *load(const std::string &path, std::string &why) {
    void *symbol = plugin_symbol(path, "surrogate_recorder_entry", why);
    if (!symbol)
        return nullptr;
    const surrogate_recorder_plugin *plugin = nullptr;
    EngineText message;
    if (reinterpret_cast<surrogate_recorder_entry_function>(symbol)(&plugin, SURROGATE_RECORDER_ABI, message.error()))
        why = message.text();
    else if (plugin && plugin->abi == SURROGATE_RECORDER_ABI)
        return plugin;
    else
        why = "it was built for another version of libsurrogate; build it again";
    return nullptr;
}

const surrogate_recorder_plugin &find_recorder(const char *plugin_path) {
    static std::mutex mutex;
    static const surrogate_recorder_plugin *opened = nullptr; // one for the process: two HDF5 are one too many
    const std::lock_guard<std::mutex> lock(mutex);
    std::string report;
    for (const auto &folder : plugin_folders(plugin_path)) {
        if (opened)
            break;
        const auto paths = plugin_files(folder, "libsurrogate_recorder");
        if (paths.empty())
            report += text("\n  ", folder, ": none");
        for (const auto &path : paths) {
            std::string why;
            if ((opened = load(path, why)))
                break;
            report += text("\n  ", path, ": ", why);
        }
    }
    if (!opened)
        fail(SURROGATE_ERROR_ENGINE,
             "the recorder's plugin libsurrogate_recorder, which needs HDF5, does not work here; "
             "install HDF5's serial development files (libhdf5-dev, hdf5-devel) and build "
             "surrogate again, or name the plugin's folder in SURROGATE_ENGINE_PATH. Searched:",
             report);
    return *opened;
}

} // namespace surrogate::core
