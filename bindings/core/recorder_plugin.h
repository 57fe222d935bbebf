// The recorder's plugin, which links HDF5: found like an engine, opened at the first recording, never closed.
#pragma once

#include "../recorder/plugin.h"

namespace surrogate::core {

/// Throws ERROR_ENGINE with the folders searched and what to do.
const surrogate_recorder_plugin &find_recorder(const char *plugin_path);

} // namespace surrogate::core
