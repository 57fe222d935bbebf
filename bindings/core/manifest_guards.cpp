#include "manifest_guards.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace surrogate::core {

namespace {

void read_side(double &side, double otherwise, const JsonNode &value) {
    side = value.is_null() ? otherwise : value.number();
}

void read_bounds(Bounds &bounds, const JsonNode &node) {
    node.only_keys({"lower", "upper"});
    for (const auto &[key, value] : node.members())
        read_side(key == "lower" ? bounds.lower : bounds.upper, key == "lower" ? Bounds().lower : Bounds().upper,
                  value);
    if (bounds.lower > bounds.upper)
        node.complain(text("lower bound ", bounds.lower, " is above upper bound ", bounds.upper));
}

void read_all_bounds(GuardSpec &guards, const Manifest &manifest, const JsonNode &node) {
    if (node.is_null()) {
        guards.bounds.assign(manifest.fields.size(), Bounds());
        return;
    }
    const auto names = manifest.field_names();
    for (const auto &[name, value] : node.members()) {
        const auto index = static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
        if (index == names.size())
            node.complain(
                text("no field '", name, "'", suggestion(name, names), "; the fields are ", names_text(names)));
        if (value.is_null())
            guards.bounds[index] = Bounds();
        else
            read_bounds(guards.bounds[index], value);
    }
}

/// A guard with one limit: {key: number of at least 0}, or null.
void read_limit(std::optional<double> &limit, const JsonNode &node, const char *key) {
    if (node.is_null()) {
        limit.reset();
        return;
    }
    node.only_keys({key});
    const auto value = node.at(key);
    if (!(value.number() >= 0))
        value.refuse("a number of at least 0");
    limit = value.number();
}

void read_jump(std::optional<Bounds> &jump, const JsonNode &node) {
    if (node.is_null()) {
        jump.reset();
        return;
    }
    Bounds bounds = jump.value_or(Bounds());
    read_bounds(bounds, node);
    jump = bounds;
}

Policy read_policy(std::size_t guard, const JsonNode &node) {
    if (node.is_null())
        return Policy::reject;
    const std::string name = node.one_of({"reject", "clip", "keep", "project"});
    if (name == "clip" && guard != static_cast<std::size_t>(Guard::bounds))
        node.complain(
            "'clip' is a policy of guard 'bounds' only: there is no value to clip to; expected reject or keep");
    if (name == "project" && guard != static_cast<std::size_t>(Guard::conserved))
        node.complain(
            "'project' is a policy of guard 'conserved' only: it restores integrals; expected reject or keep");
    return name == "clip"      ? Policy::clip
           : name == "keep"    ? Policy::keep
           : name == "project" ? Policy::project
                               : Policy::reject;
}

void read_policies(GuardSpec &guards, const JsonNode &node) {
    if (node.is_null()) {
        guards.policies = {};
        return;
    }
    node.only_keys({"finite", "bounds", "range", "statistics", "conserved", "jump", "spread"});
    for (const auto &[name, value] : node.members())
        for (std::size_t k = 0; k < GUARD_NAMES.size(); ++k)
            if (name == GUARD_NAMES[k])
                guards.policies[k] = read_policy(k, value);
}

/// Fail if a guard is asked for that no field can be judged by.
void check_guards(const GuardSpec &guards, const Manifest &manifest, const JsonNode &node) {
    const auto any = [&](auto known) { return std::any_of(manifest.fields.begin(), manifest.fields.end(), known); };
    if (guards.range_share && !any([](const FieldSpec &f) { return !f.trained_range.empty(); }))
        node.complain("guard 'range' needs fields[].trained_range, which no field of this model has");
    if (guards.distance && !any([](const FieldSpec &f) { return !f.trained_mean.empty(); }))
        node.complain("guard 'statistics' needs fields[].trained_statistics, which no field of this model has");
    if (guards.tolerance && !any([](const FieldSpec &f) { return f.conserved && f.predicted(); }))
        node.complain("guard 'conserved' needs a predicted field with \"conserved\": true, which this model has not");
    if (guards.jump && !any([](const FieldSpec &f) { return f.predicted() && !f.trained_jump.empty(); }))
        node.complain("guard 'jump' needs fields[].trained_jump, which no predicted field of this model has");
    if (guards.largest_spread && !any([](const FieldSpec &f) { return f.predicted() && !f.trained_jump.empty(); }))
        node.complain("guard 'spread' needs fields[].trained_jump, which no predicted field of this model has");
    if (guards.policy(Guard::conserved) == Policy::project &&
        !any([](const FieldSpec &f) { return f.conserved && f.predicted(); }))
        node.complain("policy 'project' needs a predicted field with \"conserved\": true, which this model has not");
}

bool is_path(std::string_view overrides) {
    const auto first = overrides.find_first_not_of(" \t\r\n");
    return first == std::string_view::npos || overrides[first] != '{';
}

std::string read_text(const char *path) {
    std::ifstream file(path, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(file), {}};
    if (!file)
        fail(SURROGATE_ERROR_NOT_FOUND, "options.guards: file '", path,
             "' cannot be read; expected JSON text that begins with '{', or the path of a file that holds it");
    return content;
}

} // namespace

void read_guards(GuardSpec &guards, const Manifest &manifest, const JsonNode &node) {
    node.only_keys({"finite", "bounds", "range", "statistics", "conserved", "jump", "spread", "policy"});
    for (const auto &[key, value] : node.members()) {
        if (key == "finite")
            guards.finite = value.is_null() || value.boolean();
        else if (key == "bounds")
            read_all_bounds(guards, manifest, value);
        else if (key == "range")
            read_limit(guards.range_share, value, "share");
        else if (key == "statistics")
            read_limit(guards.distance, value, "distance");
        else if (key == "conserved")
            read_limit(guards.tolerance, value, "tolerance");
        else if (key == "jump")
            read_jump(guards.jump, value);
        else if (key == "spread")
            read_limit(guards.largest_spread, value, "upper");
        else
            read_policies(guards, value);
    }
    check_guards(guards, manifest, node);
}

GuardOverrides read_overrides(const char *given) {
    if (is_path(given))
        return {text("options.guards (", given, ")"), read_text(given)};
    return {"options.guards", given};
}

GuardSpec merged_guards(const Manifest &manifest, const std::optional<GuardOverrides> &overrides) {
    GuardSpec guards = manifest.guards;
    if (overrides) {
        JsonDocument storage;
        read_guards(guards, manifest,
                    JsonNode::parse(storage, overrides->document, overrides->label, SURROGATE_ERROR_ARGUMENT));
    }
    return guards;
}

} // namespace surrogate::core
