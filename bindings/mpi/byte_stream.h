// Numbers and strings one after another in bytes, to be sent to ranks of the same program.
#pragma once

#include "failure.h"

#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace surrogate::mpi {

class ByteWriter {
  public:
    template <class Number> void number(Number value) {
        static_assert(std::is_arithmetic_v<Number>);
        const char *at = reinterpret_cast<const char *>(&value);
        bytes.insert(bytes.end(), at, at + sizeof value);
    }
    void string(const std::string &value) {
        number(static_cast<std::uint64_t>(value.size()));
        bytes.insert(bytes.end(), value.begin(), value.end());
    }
    void optional(const std::optional<std::string> &value) {
        number(static_cast<char>(value.has_value()));
        if (value)
            string(*value);
    }

    std::vector<char> bytes;
};

class ByteReader {
  public:
    explicit ByteReader(const std::vector<char> &bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

    template <class Number> Number number() {
        Number value;
        std::memcpy(&value, take(sizeof value), sizeof value);
        return value;
    }
    std::string string() {
        const auto size = number<std::uint64_t>();
        const char *at = take(size);
        return std::string(at, size);
    }
    std::optional<std::string> optional() { return number<char>() ? std::optional(string()) : std::nullopt; }

  private:
    const char *take(std::size_t size) {
        if (size > static_cast<std::size_t>(end_ - at_))
            fail(SURROGATE_ERROR_INTERNAL, "a message of another rank is shorter than it says");
        at_ += size;
        return at_ - size;
    }
    const char *at_, *end_;
};

} // namespace surrogate::mpi
