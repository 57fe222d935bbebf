#include "json_node.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <stdexcept>

namespace surrogate::core {

using nlohmann::json;

JsonNode JsonNode::parse(JsonDocument &storage, std::string_view document, std::string label, int status) {
    try {
        storage.parse(document);
    } catch (const json::parse_error &error) {
        fail(status, label, ": not valid JSON at byte ", error.byte, " of ", document.size(), " (", error.what(), ")",
             status == SURROGATE_ERROR_CORRUPT ? "; the file is truncated or damaged: copy the bundle again" : "");
    } catch (const json::exception &error) { // a number that no double holds
        fail(status, label, ": not valid JSON (", error.what(), ")");
    } catch (const std::invalid_argument &error) {
        fail(status, label, ": ", error.what(), "; no document of this kind needs that");
    }
    return JsonNode(storage.root(), std::move(label), status);
}

JsonNode JsonNode::child(const json &value, std::string step) const {
    JsonNode node(value, label_, status_);
    node.path_ = path_ + (path_.empty() || step[0] == '[' ? "" : ".") + step;
    return node;
}

std::string JsonNode::given() const {
    std::string dump = value_->dump(-1, ' ', false, json::error_handler_t::replace);
    if (dump.size() > 60)
        dump = dump.substr(0, 57) + "...";
    return dump;
}

void JsonNode::refuse(std::string_view expected) const {
    complain(text(given(), " given, expected ", expected));
}

void JsonNode::complain(std::string_view what) const {
    fail(status_, label_, ": ", path_, path_.empty() ? "" : ": ", what);
}

const JsonNode &JsonNode::only_keys(std::initializer_list<const char *> keys) const {
    if (!value_->is_object())
        refuse("an object {...}");
    const std::vector<std::string> known(keys.begin(), keys.end());
    for (const auto &item : value_->items()) {
        bool found = false;
        for (const auto &key : known)
            found = found || key == item.key();
        if (!found)
            complain(text("unknown key '", item.key(), "'", suggestion(item.key(), known), "; the keys are ",
                          names_text(known)));
    }
    return *this;
}

JsonNode JsonNode::at(const char *key) const {
    if (!value_->is_object())
        refuse("an object {...}");
    const auto found = value_->find(key);
    if (found == value_->end())
        complain(text("the key '", key, "' is missing"));
    return child(*found, key);
}

std::optional<JsonNode> JsonNode::find(const char *key) const {
    if (!value_->is_object())
        refuse("an object {...}");
    const auto found = value_->find(key);
    if (found == value_->end() || found->is_null())
        return std::nullopt;
    return child(*found, key);
}

std::string JsonNode::string() const {
    if (!value_->is_string())
        refuse("a string");
    auto value = value_->get<std::string>();
    if (value.find('\0') != std::string::npos)
        refuse("a string without NUL");
    return value;
}

std::string JsonNode::name() const {
    auto value = string();
    if (value.empty())
        refuse("a name");
    return value;
}

std::string JsonNode::one_of(std::initializer_list<const char *> choices) const {
    const std::string value = value_->is_string() ? value_->get<std::string>() : std::string();
    for (const char *choice : choices)
        if (value == choice)
            return value;
    refuse("one of " + names_text(std::vector<std::string>(choices.begin(), choices.end())));
}

bool JsonNode::is_null() const {
    return value_->is_null();
}

bool JsonNode::boolean() const {
    if (!value_->is_boolean())
        refuse("true or false");
    return value_->get<bool>();
}

double JsonNode::number() const {
    if (!value_->is_number() || !std::isfinite(value_->get<double>()))
        refuse("a finite number");
    return value_->get<double>();
}

double JsonNode::positive() const {
    if (!value_->is_number() || !(value_->get<double>() > 0.0) || !std::isfinite(value_->get<double>()))
        refuse("a number greater than 0");
    return value_->get<double>();
}

std::int64_t JsonNode::integer(std::int64_t least) const {
    const bool fits = value_->is_number_integer() &&
                      !(value_->is_number_unsigned() && value_->get<std::uint64_t>() > std::uint64_t{INT64_MAX});
    if (!fits || value_->get<std::int64_t>() < least)
        refuse(text("an integer of at least ", least));
    return value_->get<std::int64_t>();
}

std::vector<JsonNode> JsonNode::array() const {
    if (!value_->is_array())
        refuse("an array [...]");
    std::vector<JsonNode> nodes;
    nodes.reserve(value_->size());
    for (const auto &item : *value_)
        nodes.push_back(child(item, text("[", nodes.size(), "]")));
    return nodes;
}

std::vector<JsonNode> JsonNode::array(std::size_t size, const char *what) const {
    auto nodes = array();
    if (nodes.size() != size)
        complain(text(nodes.size(), " entries given, expected ", size, ", one for each ", what));
    return nodes;
}

std::vector<std::pair<std::string, JsonNode>> JsonNode::members() const {
    if (!value_->is_object())
        refuse("an object {...}");
    std::vector<std::pair<std::string, JsonNode>> nodes;
    for (const auto &item : value_->items())
        nodes.emplace_back(item.key(), child(item.value(), item.key()));
    return nodes;
}

} // namespace surrogate::core
