// The safetensors reader: right on a good file, and an error, never more, on every damaged one.
#include "check.h"
#include "error.h"
#include "safetensors.h"

#include <random>

using namespace surrogate::core;

static Bytes file(const std::string &header, std::size_t data) {
    Bytes bytes(8);
    for (std::size_t i = 0; i < 8; ++i)
        bytes[i] = static_cast<char>(header.size() >> (8 * i) & 255);
    bytes.insert(bytes.end(), header.begin(), header.end());
    for (std::size_t i = 0; i < data; ++i)
        bytes.push_back(static_cast<char>(i));
    return bytes;
}

/// 0: read; else the status it failed with.
static int read(const Bytes &bytes) {
    try {
        read_safetensors(bytes, "test");
        return 0;
    } catch (const Error &error) {
        return error.status();
    }
}

int main() {
    const std::string good =
        R"({"__metadata__": {"a": "b"}, "input": {"dtype": "F32", "shape": [1, 2], )"
        R"("data_offsets": [0, 8]}, "expected": {"dtype": "F32", "shape": [], "data_offsets": [8, 12]}})";
    const Bytes whole = file(good, 12);
    const auto tensors = read_safetensors(whole, "test");
    CHECK(tensors.size() == 2 && tensors.at("input").shape == std::vector<std::int64_t>({1, 2}));
    CHECK(tensors.at("expected").values.size() == 1);
    float first = 0;
    std::memcpy(&first, whole.data() + 8 + good.size(), 4);
    CHECK(tensors.at("input").values[0] == first);

    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK(read(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))) == SURROGATE_ERROR_CORRUPT);
    for (const char *tensor : {R"({"dtype": "F64", "shape": [1], "data_offsets": [0, 8]})",
                               R"({"dtype": "F32", "shape": [3], "data_offsets": [0, 8]})",
                               R"({"dtype": "F32", "shape": [2], "data_offsets": [8, 0]})",
                               R"({"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]})",
                               R"({"dtype": "F32", "shape": [2], "data_offsets": [8, 16]})",
                               R"({"dtype": "F32", "shape": [4611686018427387904, 8], "data_offsets": [0, 0]})",
                               R"({"dtype": "F32", "shape": [4611686018427387904], "data_offsets": [0, 0]})",
                               R"({"dtype": "F32", "shape": [18446744073709551615], "data_offsets": [0, 12]})",
                               R"({"dtype": "F32", "shape": [2], "data_offsets": [0]})",
                               R"({"shape": [2], "data_offsets": [0, 8]})", R"([1])", R"(7)"})
        CHECK(read(file(std::string(R"({"t": )") + tensor + "}", 12)) == SURROGATE_ERROR_CORRUPT);
    CHECK(read(file("[]", 0)) == SURROGATE_ERROR_CORRUPT);
    CHECK(read(file("{}", 0)) == 0);

    std::mt19937 random(7);
    for (int i = 0; i < 20000; ++i) {
        Bytes damaged = whole;
        for (int k = 0; k < 1 + i % 3; ++k)
            damaged[random() % (8 + good.size())] = static_cast<char>(random());
        const int status = read(damaged);
        CHECK(status == 0 || status == SURROGATE_ERROR_CORRUPT);
    }
    return finish();
}
