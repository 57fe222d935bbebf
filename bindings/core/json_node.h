// Reading validated values out of JSON, every failure naming the key, what was given and what was expected.
#pragma once

#include "error.h"
#include "json_document.h"

#include <initializer_list>
#include <optional>

namespace surrogate::core {

/// A value inside a JSON document, with its path for messages.
class JsonNode {
  public:
    /// `label`: what the document is called in messages; `status`: of every failure.
    JsonNode(const nlohmann::json &value, std::string label, int status)
        : value_(&value), label_(std::move(label)), status_(status) {}

    /// Parse a document; `storage` keeps it.
    static JsonNode parse(JsonDocument &storage, std::string_view document, std::string label, int status);

    /// Fail unless this is an object with no other keys than these.
    const JsonNode &only_keys(std::initializer_list<const char *> keys) const;
    JsonNode at(const char *key) const;                  ///< required
    std::optional<JsonNode> find(const char *key) const; ///< absent or null: nothing

    std::string string() const;
    std::string name() const; ///< a string that is not empty
    std::string one_of(std::initializer_list<const char *> choices) const;
    bool boolean() const;
    double number() const;
    double positive() const;
    std::int64_t integer(std::int64_t least) const;
    std::vector<JsonNode> array() const;
    std::vector<JsonNode> array(std::size_t size, const char *what) const;
    std::vector<std::pair<std::string, JsonNode>> members() const;
    bool is_null() const;

    /// Throw: "label: path: <given> given, expected <expected>".
    [[noreturn]] void refuse(std::string_view expected) const;
    /// Throw: "label: path: <text>".
    [[noreturn]] void complain(std::string_view text) const;

  private:
    JsonNode child(const nlohmann::json &value, std::string step) const;
    std::string given() const;

    const nlohmann::json *value_;
    std::string label_;
    std::string path_;
    int status_;
};

} // namespace surrogate::core
