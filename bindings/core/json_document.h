// A JSON document whose reading and freeing end in an exception at worst: nlohmann::json allocates in its destructor,
// and when memory is short that would end the host.
#pragma once

#include <nlohmann/json_fwd.hpp> // the whole header costs each source that reads it seconds

#include <memory>
#include <string_view>

namespace surrogate::core {

class JsonDocument {
  public:
    JsonDocument();
    ~JsonDocument();
    JsonDocument(const JsonDocument &) = delete;
    JsonDocument &operator=(const JsonDocument &) = delete;

    /// Read `text`, once. Throws nlohmann::json::exception, or std::invalid_argument for a key that stands twice in an
    /// object and for values nested too deep: they are printed by recursion, on the host's stack.
    void parse(std::string_view text);
    const nlohmann::json &root() const { return *root_; }

  private:
    std::unique_ptr<nlohmann::json> root_;
};

} // namespace surrogate::core
