#include "variants.h"

#include "error.h"

#include <algorithm>

namespace surrogate::core {

Variants::Variants(const Bundle &bundle, const Request &request) : bundle_(bundle), request_(request) {
    const Sampler &sampler = bundle.manifest().sampler;
    const auto any = request.program.empty() && sampler ? std::optional(sampler.preset) : std::nullopt;
    auto program = std::make_unique<Program>(Program::choose(bundle, request, any, {}));
    const std::int64_t steps = program->loaded() ? program->spec().steps : sampler.preset;
    for (const auto known : sampler.steps)
        variants_.push_back({known, nullptr, nullptr, false});
    if (variants_.empty())
        variants_.emplace_back();
    standard_ = static_cast<std::size_t>(find(steps) - variants_.data());
    standard().program = std::move(program);
}

Variant *Variants::find(std::int64_t steps) {
    const auto found =
        std::find_if(variants_.begin(), variants_.end(), [steps](const Variant &v) { return v.steps == steps; });
    return found == variants_.end() ? nullptr : &*found;
}

void Variants::require(std::int64_t steps) const {
    const Manifest &manifest = bundle_.manifest();
    const Sampler &sampler = manifest.sampler;
    if (steps == 0 || steps == standard().steps)
        return;
    if (!sampler)
        fail(SURROGATE_ERROR_PARAMETER, "step.steps ", steps, " given, expected 0: '", manifest.name,
             "' has no sampler, its program evaluates its net once");
    if (!std::count(sampler.steps.begin(), sampler.steps.end(), steps))
        fail(SURROGATE_ERROR_PARAMETER, "step.steps ", steps, " given, expected one of ",
             list_text(sampler.steps.data(), static_cast<int>(sampler.steps.size())), ", the evaluations that '",
             manifest.name, "' has programs for (0: its preset, ", sampler.preset, ")");
    if (!request_.program.empty() && standard().program->loaded())
        fail(SURROGATE_ERROR_PARAMETER, "step.steps ", steps, " given, but the model was opened with options.program '",
             request_.program, "', which makes ", standard().steps, "; leave that out to choose steps at every call");
}

Variant &Variants::of(std::int64_t steps) {
    if (steps == 0 || steps == standard().steps)
        return standard();
    require(steps);
    Variant &variant = *find(steps);
    if (variant.failure)
        std::rethrow_exception(variant.failure);
    if (!variant.program)
        load(variant);
    return variant;
}

void Variants::load(Variant &variant) {
    std::vector<const Program *> loaded;
    for (const Variant &other : variants_)
        if (other.program && other.program->loaded())
            loaded.push_back(other.program.get());
    variant.program = std::make_unique<Program>(Program::choose(bundle_, request_, variant.steps, loaded));
}

void Variants::load_all() {
    for (Variant &variant : variants_)
        if (!variant.program)
            try {
                load(variant);
            } catch (const Error &error) {
                if (error.status() == SURROGATE_ERROR_MEMORY)
                    throw;
                variant.failure = std::current_exception();
            }
}

} // namespace surrogate::core
