// Reading a safetensors file: 8 bytes of header length, a JSON header, the data.
#pragma once

#include "bundle.h"

namespace surrogate::core {

/// A dense float32 tensor that owns its values.
struct Tensor {
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};

/// All tensors of a file; `label` names it in messages. Throws ERROR_CORRUPT if the file is not whole and well
/// formed, or holds another type than F32.
std::map<std::string, Tensor> read_safetensors(const Bytes &file, const std::string &label);

} // namespace surrogate::core
