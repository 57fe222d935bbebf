// A manifest.json, as bytes: read whole, or refused by an Error of the two statuses.
#include "error.h"
#include "manifest.h"

#include <cstdlib>

using namespace surrogate::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    try {
        const Manifest manifest = parse_manifest({reinterpret_cast<const char *>(data), size}, "fuzz");
        if (manifest.fields.empty() || manifest.programs.empty() || manifest.input_channels < manifest.output_channels)
            std::abort();
    } catch (const Error &error) {
        if (error.status() != SURROGATE_ERROR_CORRUPT && error.status() != SURROGATE_ERROR_SCHEMA)
            std::abort();
    } catch (const std::bad_alloc &) {
    }
    return 0;
}
