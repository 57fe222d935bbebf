#include "manifest_sampler.h"

#include "caption.h"

#include <algorithm>

namespace surrogate::core {

namespace {

constexpr std::int64_t LARGEST_MEMBERS = std::int64_t{1} << 32;
constexpr std::int64_t LARGEST_LENGTH = 4096;                    // words of a caption
constexpr std::size_t LARGEST_VOCABULARY = std::size_t{1} << 24; // token ids are floats

bool is_identifier(const std::string &text) {
    for (std::size_t k = 0; k < text.size(); ++k) {
        const char c = text[k];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (k == 0 || !(c >= '0' && c <= '9')))
            return false;
    }
    return !text.empty();
}

bool is_word(const std::string &text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), in_word);
}

std::int64_t integer_of(const JsonNode &node, std::int64_t most) {
    const auto value = node.integer(1);
    if (value > most)
        node.refuse(text("at most ", most));
    return value;
}

void read_steps(Sampler &sampler, const JsonNode &node) {
    for (const auto &item : node.array()) {
        const auto steps = integer_of(item, LARGEST_STEPS);
        if (!sampler.steps.empty() && steps <= sampler.steps.back())
            item.refuse(text("more than ", sampler.steps.back(), ": they increase"));
        sampler.steps.push_back(steps);
    }
    if (sampler.steps.empty())
        node.refuse("one number of steps at least");
}

bool holds(const Sampler &sampler, std::int64_t steps) {
    return std::find(sampler.steps.begin(), sampler.steps.end(), steps) != sampler.steps.end();
}

std::string known_steps(const Sampler &sampler) {
    return text("one of sampler.steps ", list_text(sampler.steps.data(), static_cast<int>(sampler.steps.size())));
}

/// Every number of steps has programs, and every program one that the sampler knows.
void check_programs(const Manifest &manifest, const JsonNode &root) {
    const auto programs = root.at("programs").array();
    for (std::size_t i = 0; i < programs.size(); ++i) {
        const ProgramSpec &program = manifest.programs[i];
        const auto given = programs[i].find("steps");
        if (!manifest.sampler) {
            if (given)
                given->refuse("none: the manifest has no sampler");
            continue;
        }
        if (!given)
            programs[i].complain("has no key 'steps', expected " + known_steps(manifest.sampler));
        if (!holds(manifest.sampler, program.steps))
            given->refuse(known_steps(manifest.sampler));
        for (std::size_t j = 0; j < i; ++j)
            if (manifest.programs[j].name == program.name)
                programs[i].at("name").complain(text("the name '", program.name, "' stands twice"));
    }
    for (const auto steps : manifest.sampler.steps)
        if (std::none_of(manifest.programs.begin(), manifest.programs.end(),
                         [steps](const ProgramSpec &program) { return program.steps == steps; }))
            root.at("sampler").at("steps").complain(text("no program makes ", steps, " steps"));
}

/// Guidance reaches the program as its last scalar parameter.
void check_guidance(const Manifest &manifest, const JsonNode &root) {
    const auto &known = manifest.parameters;
    const auto named = [](const Parameter &parameter) { return parameter.name == GUIDANCE; };
    const auto count = std::count_if(known.begin(), known.end(), named);
    const Sampler &sampler = manifest.sampler;
    if (!sampler.guided) {
        if (count > 0)
            root.at("parameters").complain("'guidance' given, but sampler.guidance is null: give its largest weight");
        return;
    }
    if (count != 1 || !named(known.back()) || known.back().lower != 0 || known.back().upper != sampler.guidance)
        root.at("sampler")
            .at("guidance")
            .complain(
                text("given, so expected 'guidance' as the last of parameters, of range 0 to ", sampler.guidance));
}

void read_text(TextSpec &spec, const JsonNode &node) {
    node.only_keys({"length", "vocabulary"});
    spec.length = integer_of(node.at("length"), LARGEST_LENGTH);
    const auto vocabulary = node.at("vocabulary");
    const auto words = vocabulary.array();
    if (words.size() < 2 || words[0].string() != "<pad>" || words[1].string() != "<unknown>")
        vocabulary.complain("expected words that begin with '<pad>', '<unknown>'");
    if (words.size() > LARGEST_VOCABULARY)
        vocabulary.complain(text("more than ", LARGEST_VOCABULARY, " words"));
    for (std::size_t k = 2; k < words.size(); ++k) {
        const std::string word = words[k].string();
        if (!is_word(word))
            words[k].refuse("a word of the characters [a-z0-9.+-]");
        if (!spec.ids.emplace(word, static_cast<std::int32_t>(k)).second)
            words[k].complain(text("the word '", word, "' stands twice"));
    }
}

} // namespace

void read_variant(ProgramSpec &program, const JsonNode &node) {
    if (const auto steps = node.find("steps"))
        program.steps = integer_of(*steps, LARGEST_STEPS);
    if (const auto method = node.find("method"))
        program.method = method->string();
    if (!program.method.empty() && (program.format == "python" || !is_identifier(program.method)))
        node.at("method").refuse(program.format == "python" ? "none: a python program has an entry" : "an identifier");
}

void read_sampler(Manifest &manifest, const JsonNode &root) {
    Sampler &sampler = manifest.sampler;
    if (const auto node = root.find("sampler")) {
        node->only_keys({"method", "kind", "steps", "preset", "members", "guidance"});
        sampler.method = node->at("method").name();
        sampler.kind = node->at("kind").name();
        read_steps(sampler, node->at("steps"));
        sampler.preset = node->at("preset").integer(1);
        if (!holds(sampler, sampler.preset))
            node->at("preset").refuse(known_steps(sampler));
        sampler.members = integer_of(node->at("members"), LARGEST_MEMBERS);
        if (const auto guidance = node->find("guidance")) {
            sampler.guided = true;
            sampler.guidance = guidance->positive();
        }
        check_guidance(manifest, root);
    }
    check_programs(manifest, root);
    if (const auto node = root.find("text"))
        read_text(manifest.text, *node);
}

} // namespace surrogate::core
