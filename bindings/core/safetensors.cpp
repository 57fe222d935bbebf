#include "safetensors.h"

#include "json_node.h"

#include <cstring>

namespace surrogate::core {

static Tensor read_tensor(const JsonNode &node, const char *data, std::size_t available) {
    node.only_keys({"dtype", "shape", "data_offsets"});
    node.at("dtype").one_of({"F32"});
    Tensor tensor;
    std::uint64_t count = 1;
    for (const auto &item : node.at("shape").array()) {
        tensor.shape.push_back(item.integer(0));
        if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(tensor.shape.back()), &count))
            node.at("shape").refuse("a shape that fits the file");
    }
    const auto offsets = node.at("data_offsets").array(2, "end");
    const auto begin = static_cast<std::uint64_t>(offsets[0].integer(0));
    const auto end = static_cast<std::uint64_t>(offsets[1].integer(0));
    if (begin > end || end > available || count > available / sizeof(float) || end - begin != count * sizeof(float))
        node.at("data_offsets").refuse(text("a range of ", count, " float32 inside ", available, " bytes of data"));
    tensor.values.resize(count);
    if (count)
        std::memcpy(tensor.values.data(), data + begin, end - begin);
    return tensor;
}

std::map<std::string, Tensor> read_safetensors(const Bytes &file, const std::string &label) {
    if (file.size() < 8)
        fail(SURROGATE_ERROR_CORRUPT, label, ": ", file.size(), " bytes, too short for a safetensors file");
    std::uint64_t length = 0;
    for (int i = 7; i >= 0; --i)
        length = length << 8 | static_cast<unsigned char>(file[static_cast<std::size_t>(i)]);
    if (length > file.size() - 8)
        fail(SURROGATE_ERROR_CORRUPT, label, ": the header says that it has ", length, " bytes, the file holds ",
             file.size() - 8, " after it");
    JsonDocument storage;
    const std::string_view header(file.data() + 8, static_cast<std::size_t>(length));
    const auto root = JsonNode::parse(storage, header, label, SURROGATE_ERROR_CORRUPT);
    std::map<std::string, Tensor> tensors;
    for (const auto &[name, node] : root.members())
        if (name != "__metadata__")
            tensors.emplace(name, read_tensor(node, file.data() + 8 + length, file.size() - 8 - header.size()));
    return tensors;
}

} // namespace surrogate::core
