#include "json_document.h"

#include <nlohmann/json.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace surrogate::core {

namespace {

using nlohmann::json;

constexpr std::size_t DEEPEST = 100;

/// Builds the document in place, so that a failure half way leaves it to JsonDocument's destructor.
class Builder : public nlohmann::json_sax<json> {
  public:
    explicit Builder(json &root) : root_(root) {}

    bool null() override { return put(nullptr); }
    bool boolean(bool value) override { return put(value); }
    bool number_integer(number_integer_t value) override { return put(value); }
    bool number_unsigned(number_unsigned_t value) override { return put(value); }
    bool number_float(number_float_t value, const string_t &) override { return put(value); }
    bool string(string_t &value) override { return put(std::move(value)); }
    bool binary(binary_t &) override { return false; } // not in JSON
    bool start_object(std::size_t) override { return enter(json::value_t::object); }
    bool start_array(std::size_t) override { return enter(json::value_t::array); }
    bool end_object() override { return leave(); }
    bool end_array() override { return leave(); }

    bool key(string_t &name) override {
        const auto [place, is_new] = open_.back()->get_ref<json::object_t &>().try_emplace(name);
        if (!is_new)
            throw std::invalid_argument("the key '" + name + "' stands twice in one object");
        value_ = &place->second;
        return true;
    }

    bool parse_error(std::size_t, const std::string &, const nlohmann::detail::exception &error) override {
        if (const auto *range = dynamic_cast<const json::out_of_range *>(&error))
            throw json::out_of_range(*range);
        throw json::parse_error(dynamic_cast<const json::parse_error &>(error));
    }

  private:
    /// Where the next value belongs.
    json &place() {
        if (open_.empty())
            return root_;
        if (open_.back()->is_array())
            return open_.back()->get_ref<json::array_t &>().emplace_back();
        return *value_;
    }
    bool put(json value) {
        place() = std::move(value);
        return true;
    }
    bool enter(json::value_t kind) {
        if (open_.size() == DEEPEST)
            throw std::invalid_argument("nested deeper than " + std::to_string(DEEPEST) + " levels");
        json &container = place();
        container = json(kind);
        open_.push_back(&container);
        return true;
    }
    bool leave() {
        open_.pop_back();
        return true;
    }

    json &root_;
    json *value_ = nullptr;    // of the key that was read last
    std::vector<json *> open_; // containers around the next value
};

/// Empty from the leaves up: the destructor of an empty container allocates nothing.
void dismantle(json &value) noexcept {
    if (auto *array = value.get_ptr<json::array_t *>()) {
        for (json &item : *array)
            dismantle(item);
        array->clear();
    } else if (auto *object = value.get_ptr<json::object_t *>()) {
        for (auto &item : *object)
            dismantle(item.second);
        object->clear();
    }
}

} // namespace

JsonDocument::JsonDocument() : root_(std::make_unique<json>()) {}

JsonDocument::~JsonDocument() {
    dismantle(*root_);
}

void JsonDocument::parse(std::string_view text) {
    Builder builder(*root_);
    json::sax_parse(text.begin(), text.end(), &builder);
}

} // namespace surrogate::core
