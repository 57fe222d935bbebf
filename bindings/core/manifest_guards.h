// Reading guards out of JSON: the manifest's, and what replaces them at open.
#pragma once

#include "json_node.h"
#include "manifest.h"

namespace surrogate::core {

/// A key that is given replaces what `guards` says, null removes it.
void read_guards(GuardSpec &guards, const Manifest &manifest, const JsonNode &node);

} // namespace surrogate::core
