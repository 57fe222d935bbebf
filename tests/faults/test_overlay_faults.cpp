// Damaged overlays, one row each: never a failed open. The entry is passed over with its reason, the bundle's own
// program runs, and predicts right.
#include "file_damage.h"
#include "flow_overlay.h"

#include <functional>

namespace {

struct OverlayFault {
    const char *name;
    const char *text;                                  // part of the reason; "": the entry is not even seen
    std::function<void(FlowOverlay &)> edit;           // before it is written
    std::function<void(const fs::path &entry)> damage; // after it
};

/// Replace a value of program.json.
auto entry(const char *pointer, json value) {
    return [=](FlowOverlay &overlay) { overlay.entry[json::json_pointer(pointer)] = value; };
}
/// Remove a key of program.json.
auto without(const char *pointer, const char *key) {
    return [=](FlowOverlay &overlay) { overlay.entry[json::json_pointer(pointer)].erase(key); };
}
/// Replace a value of the stub program, whose hash is right.
auto program(const char *pointer, json value) {
    return [=](FlowOverlay &overlay) { overlay.program[json::json_pointer(pointer)] = value; };
}
/// Name this file in place of the package.
auto file(const char *name) {
    return entry("/files", {{name, {{"bytes", 1}, {"sha256", std::string(64, '0')}}}});
}

auto filled(const char *name, std::string bytes) {
    return [=](const fs::path &folder) { std::ofstream(folder / name, std::ios::binary) << bytes; };
}
/// Move a file out of the entry, and leave a link to it.
auto moved_out(const char *name) {
    return [=](const fs::path &folder) {
        const fs::path outside = folder.parent_path() / "..outside";
        fs::rename(folder / name, outside);
        fs::create_symlink(fs::absolute(outside), folder / name);
    };
}
/// The package becomes a folder with one file more than program.json names.
void one_file_more(const fs::path &folder) {
    json whole = json::parse(std::ifstream(folder / "program.json"));
    fs::rename(folder / "package", folder / "a");
    fs::create_directory(folder / "package");
    fs::rename(folder / "a", folder / "package/a");
    std::ofstream(folder / "package/b.so") << "code";
    const json known = whole["files"]["package"];
    whole["files"] = {{"package/a", known}};
    std::ofstream(folder / "program.json") << whole.dump();
}

constexpr std::int64_t HUGE_SIZE = std::int64_t{1} << 40;
const char *const JSON = "program.json", *const PACKAGE = "package";

const std::vector<OverlayFault> FAULTS = {
    // program.json as a file
    {"no program.json", "", {}, removed(JSON)},
    {"program.json a folder", "", {}, folder_at(JSON)},
    {"program.json a FIFO", "", {}, fifo_at(JSON)},
    {"program.json a dangling link", "", {}, linked(JSON, "nowhere")},
    {"program.json a link to itself", "", {}, linked(JSON, JSON)},
    {"program.json outside", "leaves the overlay's entry", {}, moved_out(JSON)},
    {"program.json empty", "damaged: program.json: not valid JSON", {}, resized(JSON, 0)},
    {"program.json truncated", "damaged: program.json: not valid JSON", {}, resized(JSON, 100)},
    {"program.json of a terabyte", "expected at most", {}, resized(JSON, HUGE_SIZE)},
    {"program.json an array", "expected an object", {}, filled(JSON, "[1]")},
    {"program.json not UTF-8", "not valid JSON", {}, filled(JSON, "{\"schema\": \"\xff\xfe\"}")},
    {"program.json nested without end", "nested deeper", {}, filled(JSON, std::string(200000, '['))},
    {"key twice", "stands twice", {}, filled(JSON, R"({"schema": 1, "schema": 1})")},
    // what it says
    {"newer schema", "schema: 2 given", entry("/schema", 2), {}},
    {"schema beyond integers", "schema", entry("/schema", UINT64_MAX), {}},
    {"no schema", "the key 'schema' is missing", without("", "schema"), {}},
    {"no program", "the key 'program' is missing", without("", "program"), {}},
    {"program a text", "expected an object", entry("/program", "stub"), {}},
    {"program without a name", "program.name", entry("/program/name", ""), {}},
    {"engine a number", "program.engine", entry("/program/engine", 3), {}},
    {"format with a NUL", "without NUL", entry("/program/format", std::string("st\0b", 4)), {}},
    {"no device", "'device' is missing", without("/program", "device"), {}},
    {"no precision", "'precision' is missing", without("/program", "precision"), {}},
    {"no maker", "'made_with' is missing", without("/program", "made_with"), {}},
    {"no host", "the key 'host' is missing", without("", "host"), {}},
    {"instruction sets a text", "host.isa", entry("/host/isa", "avx2"), {}},
    {"instruction set a number", "host.isa[0]", entry("/host/isa", {1}), {}},
    {"no path", "the key 'path' is missing", without("", "path"), {}},
    {"path above the entry", "damaged: program.json: path", entry("/path", "../package"), {}},
    {"path by way of its parent", "damaged: program.json: path", entry("/path", "a/../../package"), {}},
    {"path absolute", "damaged: program.json: path", entry("/path", "/etc/passwd"), {}},
    {"path empty", "damaged: program.json: path", entry("/path", ""), {}},
    {"no files", "the key 'files' is missing", without("", "files"), {}},
    {"files a list", "files", entry("/files", json::array({"package"})), {}},
    {"file above the entry", "leaves the entry's folder", file("../fast/package"), {}},
    {"file absolute", "leaves the entry's folder", file("/etc/passwd"), {}},
    {"file of another system", "leaves the entry's folder", file("..\\package"), {}},
    {"file that is not there", "the file gone is missing", file("gone"), {}},
    {"size negative", "bytes", entry("/files", {{PACKAGE, {{"bytes", -1}, {"sha256", ""}}}}), {}},
    {"hash of another file",
     "has another SHA-256",
     [](FlowOverlay &overlay) {
         overlay.entry["files"][PACKAGE] = {{"bytes", overlay.program.dump().size()}, {"sha256", std::string(64, '0')}};
     },
     {}},
    {"threads beyond reason", "timings[0].threads", entry("/timings/0/threads", HUGE_SIZE), {}},
    {"threads negative", "timings[0].threads", entry("/timings/0/threads", -1), {}},
    {"cells beyond reason", "timings[0].shape[1]", entry("/timings/0/shape", {HUGE_SIZE / 1024, HUGE_SIZE}), {}},
    {"cells whose product overflows",
     "timings[0].shape[1]",
     entry("/timings/0/shape", {1 << 30, 1 << 30, 1 << 30}),
     {}},
    {"cells none", "timings[0].shape[0]", entry("/timings/0/shape", {0}), {}},
    {"batch beyond reason", "timings[0].batch", entry("/timings/0/batch", INT64_MAX), {}},
    {"milliseconds none", "timings[0].milliseconds", entry("/timings/0/milliseconds", 0), {}},
    {"milliseconds a text", "timings[0].milliseconds", entry("/timings/0/milliseconds", "nan"), {}},
    // whose it is
    {"another bundle",
     "lowered from another bundle",
     {},
     [](const fs::path &folder) {
         json whole = json::parse(std::ifstream(folder / JSON));
         whole["bundle"] = std::string(64, '0');
         std::ofstream(folder / JSON) << whole.dump();
     }},
    {"another version of the engine", "made with stub 2", entry("/program/made_with", "stub 2"), {}},
    {"an instruction set that is none", "instruction set avx9000", entry("/host/isa", {"avx9000"}), {}},
    {"another CPU", "compiled on another CPU", entry("/host", {{"cpu", "another"}, {"isa", json::array()}}), {}},
    {"a GPU", "compute capability 99.0", entry("/host/compute_capability", "99.0"), {}},
    {"an engine that is none", "no engine 'tvm' works here", entry("/program/engine", "tvm"), {}},
    {"a format that is none", "does not know format 'onnx'", entry("/program/format", "onnx"), {}},
    // the package
    {"package missing", "the file package is missing", {}, removed(PACKAGE)},
    {"package truncated", "the file package has 5 bytes", {}, resized(PACKAGE, 5)},
    {"package empty", "the file package has 0 bytes", {}, resized(PACKAGE, 0)},
    {"package of a terabyte", "the file package has 1099511627776 bytes", {}, resized(PACKAGE, HUGE_SIZE)},
    {"package edited",
     "has another SHA-256",
     {},
     [](const fs::path &folder) {
         std::fstream(folder / PACKAGE, std::ios::in | std::ios::out | std::ios::binary) << '[';
     }},
    {"package a folder", "the file package", {}, folder_at(PACKAGE)},
    {"package a FIFO", "the file package", {}, fifo_at(PACKAGE)},
    {"package a device", "the file package", {}, linked(PACKAGE, "/dev/zero")},
    {"package a dangling link", "the file package is missing", {}, linked(PACKAGE, "nowhere")},
    {"package outside", "leaves the overlay's entry", {}, moved_out(PACKAGE)},
    {"package with a linked folder more",
     "package/lib does not belong to it",
     {},
     [](const fs::path &folder) {
         one_file_more(folder);
         fs::remove(folder / "package/b.so");
         fs::create_directory_symlink("/tmp", folder / "package/lib");
     }},
    {"package with a file more", "package/b.so does not belong to it", {}, one_file_more},
    {"program no JSON of a program", "cannot load program", program("/operation", "magic"), {}},
    {"program that fails to load", "asks to fail in load", program("/fail", "load"), {}},
};

/// Open the bundle with the overlay; which program was chosen, and whether it predicts right.
void check_choice(const fs::path &bundle, const fs::path &overlay, const char *program, const std::string &text) {
    surrogate_open_options options;
    surrogate_open_options_init(&options, sizeof options);
    options.overlay = overlay.c_str();
    surrogate_model *model = nullptr;
    surrogate_info info;
    info.struct_size = sizeof info;
    if (!CHECK_STATUS(surrogate_open(&model, bundle.c_str(), &options), SURROGATE_OK, ""))
        return;
    CHECK_STATUS(surrogate_get_info(model, &info), SURROGATE_OK, "");
    CHECK(std::strcmp(info.program, program) == 0 && predicts_right(model));
    if (!std::strstr(info.choice, text.c_str())) {
        std::fprintf(stderr, "'%s' does not stand in: %s\n", text.c_str(), info.choice);
        ++failures;
    }
    surrogate_close(model);
}

void inject(const OverlayFault &fault, const fs::path &bundle, const fs::path &folder) {
    FlowOverlay overlay{FlowBundle()};
    fs::remove_all(folder);
    if (fault.edit)
        fault.edit(overlay);
    overlay.write(folder);
    if (fault.damage)
        fault.damage(overlay.place(folder));
    check_choice(bundle, folder, "stub", fault.text);
}

/// Without them the entry's own timing decides, and a good entry is chosen.
void damaged_timings_of_the_bundle_are_none(const fs::path &bundle, const fs::path &folder) {
    const FlowOverlay overlay{FlowBundle()};
    for (const char *text : {"", "{", "[]", R"({"host": {}, "timings": 3})", R"({"host": {"cpu": 1}})",
                             R"({"host": {}, "timings": {"stub": [{"threads": -1}]}})"}) {
        fs::remove_all(folder);
        overlay.write(folder);
        std::ofstream(overlay.place(folder).parent_path() / "timings-0.json") << text;
        check_choice(bundle, folder, "fast", "the fastest of 2");
    }
}

void overlays_that_are_none_hold_nothing(const fs::path &bundle, const fs::path &folder) {
    fs::remove_all(folder);
    check_choice(bundle, folder, "stub", "");
    std::ofstream{folder};
    check_choice(bundle, folder, "stub", "");
    check_choice(bundle, "/dev/null", "stub", "");
    check_choice(bundle, std::string(20000, 'x'), "stub", "");
}

} // namespace

int main(int argc, char **argv) {
    start(argc, argv);
    const fs::path bundle = fs::path(argv[1]) / "flow.surrogate", overlay = fs::path(argv[1]) / "overlay";
    fs::remove_all(bundle);
    FlowBundle().write(bundle);
    for (const OverlayFault &fault : FAULTS) {
        const int before = failures;
        inject(fault, bundle, overlay);
        if (failures != before)
            std::fprintf(stderr, "  in the row '%s'\n", fault.name);
    }
    damaged_timings_of_the_bundle_are_none(bundle, overlay);
    overlays_that_are_none_hold_nothing(bundle, overlay);
    std::printf("%zu faults\n", FAULTS.size() + 6 + 4);
    return finish();
}
