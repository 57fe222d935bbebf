#include "options.hpp"

#include <cstring>
#include <map>

#include "message.hpp"
#include "surrogate/surrogate.h"

namespace surrogate_torch {
namespace {

// Reads {"key": "text" or true or 1, ...}; this engine brings no JSON library to the machines that it is compiled on.
class FlatObject {
  public:
    explicit FlatObject(const char *text) : text_(text), at_(text) {}

    // Values by key; of strings, the text between the quotes.
    std::map<std::string, std::string> read() {
        std::map<std::string, std::string> values;
        take('{');
        while (next() != '}') {
            const std::string key = string();
            take(':');
            values[key] = next() == '"' ? string() : word();
            if (next() == ',')
                take(',');
        }
        return values;
    }

  private:
    char next() {
        while (*at_ != '\0' && std::strchr(" \t\r\n", *at_) != nullptr)
            ++at_;
        return *at_;
    }
    void take(char expected) {
        if (next() != expected)
            refuse();
        ++at_;
    }
    std::string string() {
        take('"');
        std::string value;
        for (; *at_ != '"'; ++at_) {
            if (*at_ == '\\' && at_[1] != 'u')
                ++at_;
            if (*at_ == '\0' || *at_ == '\\')
                refuse();
            value += *at_;
        }
        ++at_;
        return value;
    }
    std::string word() {
        const char *start = at_;
        while (*at_ != '\0' && std::strchr(" \t\r\n,}", *at_) == nullptr)
            ++at_;
        if (at_ == start || *start == '{' || *start == '[')
            refuse();
        return std::string(start, at_);
    }
    [[noreturn]] void refuse() const {
        throw Failure(SURROGATE_ERROR_ARGUMENT, std::string("torch engine: engine_options is ") + text_ +
                                                    ", expected an object of plain texts, true and false");
    }

    const char *text_, *at_;
};

} // namespace

Options read_options(const char *json) {
    Options options;
    if (json == nullptr)
        return options;
    for (const auto &[key, value] : FlatObject(json).read()) {
        if (key == "graphs" && (value == "true" || value == "false"))
            options.graphs = value == "true";
        else if (key == "tensorrt_library")
            options.tensorrt_library = value;
        else if (key != "passes")
            throw Failure(SURROGATE_ERROR_ARGUMENT, std::string("torch engine: engine_options is ") + json +
                                                        ", but this engine has only \"graphs\" (true, false), "
                                                        "\"passes\" (\"host\", \"engine\") and \"tensorrt_library\"");
    }
    return options;
}

} // namespace surrogate_torch
