// Guards, policies, histories and noise that a manifest cannot mean, one row each: opening names key, value and what
// was expected.
#include "flow_bundle.h"

namespace {

struct ManifestFault {
    const char *name;
    const char *text;    // part of the message
    const char *pointer; // a key of the manifest, and the JSON value it gets
    const char *value;
};

const char *const GUARDS = "/guards", *const RANGE = "/fields/0/trained_range",
                  *const STATISTICS = "/fields/0/trained_statistics", *const JUMP = "/fields/0/trained_jump",
                  *const NOISE = "/noise", *const HISTORY = "/history";

const ManifestFault FAULTS[] = {
    // guards
    {"guards no object", "guards: [1] given, expected an object", GUARDS, "[1]"},
    {"guard unknown", "did you mean 'range'", GUARDS, R"({"rnage": {"share": 0.1}})"},
    {"finite a number", "guards.finite", GUARDS, R"({"finite": 1})"},
    {"bounds no object", "guards.bounds", GUARDS, R"({"bounds": 3})"},
    {"bound unknown", "did you mean 'lower'", GUARDS, R"({"bounds": {"p": {"lowr": 0}}})"},
    {"bound a text", "guards.bounds.p.upper", GUARDS, R"({"bounds": {"p": {"upper": "inf"}}})"},
    {"range a number", "guards.range: 0.5 given, expected an object", GUARDS, R"({"range": 0.5})"},
    {"range without its share", "the key 'share' is missing", GUARDS, R"({"range": {}})"},
    {"range of another key", "unknown key 'upper'", GUARDS, R"({"range": {"upper": 1}})"},
    {"share negative", "guards.range.share: -0.1 given, expected a number of at least 0", GUARDS,
     R"({"range": {"share": -0.1}})"},
    {"share a text", "guards.range.share", GUARDS, R"({"range": {"share": "all"}})"},
    {"distance negative", "guards.statistics.distance", GUARDS, R"({"statistics": {"distance": -1}})"},
    {"distance null", "guards.statistics.distance", GUARDS, R"({"statistics": {"distance": null}})"},
    {"tolerance negative", "guards.conserved.tolerance", GUARDS, R"({"conserved": {"tolerance": -1e-9}})"},
    {"tolerance a list", "guards.conserved.tolerance", GUARDS, R"({"conserved": {"tolerance": [0]}})"},
    {"jump upside down", "above upper bound", GUARDS, R"({"jump": {"lower": 2, "upper": 1}})"},
    {"jump of another key", "unknown key 'share'", GUARDS, R"({"jump": {"share": 1}})"},
    {"spread from below", "unknown key 'lower'", GUARDS, R"({"spread": {"lower": 1}})"},
    {"spread negative", "guards.spread.upper", GUARDS, R"({"spread": {"upper": -5}})"},
    // guards without what they need
    {"range without ranges", "needs fields[].trained_range", GUARDS, R"({"range": {"share": 0.1}})"},
    {"statistics without statistics", "needs fields[].trained_statistics", GUARDS,
     R"({"statistics": {"distance": 3}})"},
    {"conserved without a field", "\"conserved\": true", GUARDS, R"({"conserved": {"tolerance": 0}})"},
    {"jump without jumps", "needs fields[].trained_jump", GUARDS, R"({"jump": {"upper": 3}})"},
    {"spread without jumps", "needs fields[].trained_jump", GUARDS, R"({"spread": {"upper": 3}})"},
    {"project without a field", "policy 'project' needs", GUARDS, R"({"policy": {"conserved": "project"}})"},
    // policies
    {"policy no object", "guards.policy", GUARDS, R"({"policy": "keep"})"},
    {"policy of an unknown guard", "unknown key 'bound'", GUARDS, R"({"policy": {"bound": "keep"}})"},
    {"policy unknown", "guards.policy.bounds: \"drop\" given, expected one of", GUARDS,
     R"({"policy": {"bounds": "drop"}})"},
    {"policy a number", "guards.policy.range", GUARDS, R"({"policy": {"range": 1}})"},
    {"clip of a range", "a policy of guard 'bounds' only", GUARDS, R"({"policy": {"range": "clip"}})"},
    {"clip of what is not finite", "a policy of guard 'bounds' only", GUARDS, R"({"policy": {"finite": "clip"}})"},
    {"project of a jump", "a policy of guard 'conserved' only", GUARDS, R"({"policy": {"jump": "project"}})"},
    // what training has seen
    {"ranges of another count", "2 entries given, expected 1", RANGE, "[[0, 1], [0, 1]]"},
    {"range of one end", "1 entries given, expected 2", RANGE, "[[0]]"},
    {"range upside down", "lower end 1 is above upper end 0", RANGE, "[[1, 0]]"},
    {"range of texts", "trained_range[0][0]", RANGE, R"([["0", "1"]])"},
    {"range a number", "trained_range", RANGE, "3"},
    {"statistics without a mean", "the key 'mean' is missing", STATISTICS, R"({"std": [[0, 1]]})"},
    {"statistics unknown", "unknown key 'rms'", STATISTICS, R"({"mean": [[0, 1]], "std": [[0, 1]], "rms": []})"},
    {"statistics of another count", "0 entries given, expected 1", STATISTICS, R"({"mean": [], "std": [[0, 1]]})"},
    {"statistics without spread", "greater than 0", STATISTICS, R"({"mean": [[0, 0]], "std": [[0, 1]]})"},
    {"statistics a list", "an object", STATISTICS, "[[0, 1]]"},
    {"jump zero", "trained_jump[0]: 0 given, expected a number greater than 0", JUMP, "[0]"},
    {"jumps of another count", "3 entries given, expected 1", JUMP, "[1, 1, 1]"},
    {"jump beyond doubles", "not valid JSON", JUMP, "[1e999]"},
    {"conserved a text", "fields[0].conserved", "/fields/0/conserved", R"("yes")"},
    // history
    {"history none", "history: 0 given, expected an integer of at least 1", HISTORY, "0"},
    {"history negative", "history: -3", HISTORY, "-3"},
    {"history broken", "history: 1.5", HISTORY, "1.5"},
    {"history beyond reason", "at most", HISTORY, "9223372036854775807"},
    {"history a list", "history", HISTORY, "[2]"},
    {"history that the example has not", "shape [1, 5, 4, 4]", HISTORY, "2"},
    // noise
    {"noise no list", "noise", NOISE, R"({"name": "xi", "channels": 1})"},
    {"noise without a name", "the key 'name' is missing", NOISE, R"([{"channels": 1}])"},
    {"noise of an empty name", "noise[0].name", NOISE, R"([{"name": "", "channels": 1}])"},
    {"noise without channels", "the key 'channels' is missing", NOISE, R"([{"name": "xi"}])"},
    {"noise of no channel", "noise[0].channels: 0", NOISE, R"([{"name": "xi", "channels": 0}])"},
    {"noise beyond reason", "at most", NOISE, R"([{"name": "xi", "channels": 1099511627776}])"},
    {"noise unknown", "unknown key 'scale'", NOISE, R"([{"name": "xi", "channels": 1, "scale": 2}])"},
    {"noise twice", "stands twice", NOISE, R"([{"name": "xi", "channels": 1}, {"name": "xi", "channels": 1}])"},
};

/// The same through options.guards, where it is the caller's fault.
void options_are_read_the_same(surrogate_file *files, std::size_t count, const ManifestFault &fault) {
    surrogate_open_options options;
    surrogate_open_options_init(&options, sizeof options);
    options.guards = fault.value;
    auto *model = reinterpret_cast<surrogate_model *>(1);
    CHECK_STATUS(surrogate_open_memory(&model, files, count, &options), SURROGATE_ERROR_ARGUMENT, "options.guards");
    CHECK(model == nullptr);
}

} // namespace

int main(int argc, char **argv) {
    start(argc, argv);
    const auto good = FlowBundle().put_together();
    std::vector<surrogate_file> files;
    for (const auto &[name, bytes] : good)
        files.push_back({name.c_str(), bytes.data(), bytes.size()});
    std::size_t count = 0;
    for (const ManifestFault &fault : FAULTS) {
        const int before = failures;
        auto all = good;
        json manifest = json::parse(all["manifest.json"]);
        const char *const mark = "\"put the value here\""; // as text: it may be no JSON
        manifest[json::json_pointer(fault.pointer)] = json::parse(mark);
        std::string &text = all["manifest.json"] = manifest.dump();
        text.replace(text.find(mark), std::strlen(mark), fault.value);
        std::vector<surrogate_file> damaged;
        for (const auto &[name, bytes] : all)
            damaged.push_back({name.c_str(), bytes.data(), bytes.size()});
        auto *model = reinterpret_cast<surrogate_model *>(1);
        CHECK_STATUS(surrogate_open_memory(&model, damaged.data(), damaged.size(), nullptr), SURROGATE_ERROR_CORRUPT,
                     fault.text);
        CHECK(model == nullptr);
        ++count;
        if (fault.pointer == GUARDS && fault.value[0] == '{') {
            options_are_read_the_same(files.data(), files.size(), fault);
            ++count;
        }
        if (failures != before)
            std::fprintf(stderr, "  in the row '%s'\n", fault.name);
    }
    std::printf("%zu faults\n", count);
    return finish();
}
