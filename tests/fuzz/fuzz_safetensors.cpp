// A safetensors file, as bytes: every tensor has the values that its shape says, or the file is refused.
#include "error.h"
#include "safetensors.h"

#include <cstdlib>

using namespace surrogate::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const Bytes file(data, data + size);
    try {
        for (const auto &[name, tensor] : read_safetensors(file, "fuzz")) {
            std::size_t count = 1;
            for (const auto n : tensor.shape)
                count *= static_cast<std::size_t>(n);
            if (count != tensor.values.size())
                std::abort();
        }
    } catch (const Error &error) {
        if (error.status() != SURROGATE_ERROR_CORRUPT)
            std::abort();
    } catch (const std::bad_alloc &) {
    }
    return 0;
}
