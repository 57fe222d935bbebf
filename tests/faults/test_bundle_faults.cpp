// Damaged bundles, one row each: opening returns the status and names the fault; a model that is open goes on.
#include "file_damage.h"

#include <functional>
#include <sys/stat.h>
#include <unistd.h>

namespace {

const char *const PROGRAM = "programs/stub.json", *const EXAMPLE = "example.safetensors";

struct BundleFault {
    const char *name;
    int status;
    const char *text;                          // part of the message
    std::function<void(FlowBundle &)> edit;    // before the bundle is put together: sizes and hashes are right
    std::function<void(const fs::path &)> cut; // after it was written to disk; such a fault is tried on disk only
};

/// Replace a value of the manifest.
auto manifest(const char *pointer, json value) {
    return [=](FlowBundle &bundle) { bundle.manifest[json::json_pointer(pointer)] = value; };
}
/// Remove a key of the manifest.
auto without(const char *pointer, const char *key) {
    return [=](FlowBundle &bundle) { bundle.manifest[json::json_pointer(pointer)].erase(key); };
}
/// Replace a value of the stub program.
auto program(const char *pointer, json value) {
    return [=](FlowBundle &bundle) { bundle.program[json::json_pointer(pointer)] = value; };
}
/// Give a file these bytes, with their right size and hash.
auto file(const char *name, std::string bytes) {
    return [=](FlowBundle &bundle) { bundle.files[name] = bytes; };
}
/// Write text in place of another in the finished manifest.
auto rewritten(std::string before, std::string after) {
    return [=](FlowBundle &bundle) {
        std::string text = bundle.put_together().at("manifest.json");
        text.replace(text.find(before), before.size(), after);
        bundle.files["manifest.json"] = text;
    };
}
/// Replace the example by these tensors.
auto example(std::vector<std::int64_t> input, std::vector<std::int64_t> expected, const char *name = "input") {
    return [=](FlowBundle &bundle) {
        const auto tensor = [](const std::vector<std::int64_t> &shape) {
            std::int64_t count = 1;
            for (const auto n : shape)
                count *= n;
            return std::make_pair(shape, std::vector<float>(static_cast<std::size_t>(count)));
        };
        bundle.files[EXAMPLE] =
            safetensors({{name, tensor(input)}, {"expected", tensor(expected)}, {"parameters", tensor({1, 1})}});
    };
}
/// An example whose header is this text, before 16 bytes of data.
auto header(std::string text, std::uint64_t says = 0) {
    return [=](FlowBundle &bundle) {
        const std::uint64_t length = says ? says : text.size();
        std::string bytes(8, '\0');
        for (std::size_t i = 0; i < 8; ++i)
            bytes[i] = static_cast<char>(length >> (8 * i) & 0xff);
        bundle.files[EXAMPLE] = bytes + text + std::string(16, '\0');
    };
}

std::string slurp(const fs::path &path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}
void spill(const fs::path &path, const std::string &bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}
/// Cut so many bytes off a file.
auto shorter(const char *name, std::size_t bytes) {
    return [=](const fs::path &folder) { fs::resize_file(folder / name, fs::file_size(folder / name) - bytes); };
}
/// Flip a bit in the middle of a file.
auto flipped(const char *name) {
    return [=](const fs::path &folder) {
        std::string bytes = slurp(folder / name);
        bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
        spill(folder / name, bytes);
    };
}
/// Move a file or folder out of the bundle, and leave a link to it.
auto moved_out(const char *name) {
    return [=](const fs::path &folder) {
        const fs::path outside = folder.string() + ".outside";
        fs::remove_all(outside);
        fs::rename(folder / name, outside);
        fs::create_symlink(fs::absolute(outside), folder / name);
    };
}

const json ENTRY = {{"bytes", 1}, {"sha256", std::string(64, '0')}};
/// The first program's file is called `name`, which has an entry.
auto program_file(const char *name) {
    return [=](FlowBundle &bundle) {
        bundle.manifest["programs"][0]["file"] = name;
        bundle.manifest["files"][name] = ENTRY;
    };
}

constexpr std::int64_t HUGE_SIZE = std::int64_t{1} << 40;
constexpr int CORRUPT = SURROGATE_ERROR_CORRUPT, NOT_FOUND = SURROGATE_ERROR_NOT_FOUND;

const std::vector<BundleFault> FAULTS = {
    // the folder
    {"folder missing", NOT_FOUND, "No such file", {}, [](const fs::path &folder) { fs::remove_all(folder); }},
    {"folder empty", NOT_FOUND, "no manifest.json", {}, removed("manifest.json")},
    {"file in place of the folder",
     NOT_FOUND,
     "Not a directory",
     {},
     [](const fs::path &folder) {
         fs::remove_all(folder);
         spill(folder, "a file");
     }},
    // manifest.json as a file
    {"manifest empty", CORRUPT, "not valid JSON", {}, resized("manifest.json", 0)},
    {"manifest truncated", CORRUPT, "not valid JSON", {}, resized("manifest.json", 200)},
    {"manifest a folder", NOT_FOUND, "not a regular file", {}, folder_at("manifest.json")},
    {"manifest a FIFO", NOT_FOUND, "not a regular file", {}, fifo_at("manifest.json")},
    {"manifest a dangling link", NOT_FOUND, "manifest.json", {}, linked("manifest.json", "nowhere")},
    {"manifest a link to itself", NOT_FOUND, "manifest.json", {}, linked("manifest.json", "manifest.json")},
    {"manifest outside", CORRUPT, "leaves the bundle", {}, moved_out("manifest.json")},
    {"manifest of a terabyte", CORRUPT, "expected at most", {}, resized("manifest.json", HUGE_SIZE)},
    {"manifest of zeros", CORRUPT, "not valid JSON", file("manifest.json", std::string(100, '\0')), {}},
    {"manifest not UTF-8", CORRUPT, "not valid JSON", rewritten("\"flow\"", "\"fl\xff\xfe\""), {}},
    {"manifest an array", CORRUPT, "expected an object", file("manifest.json", "[1, 2]"), {}},
    {"manifest nested without end",
     CORRUPT,
     "nested deeper",
     file("manifest.json", R"({"name": )" + std::string(200000, '[') + std::string(200000, ']') + "}"),
     {}},
    // what it says
    {"newer schema", SURROGATE_ERROR_SCHEMA, "schema 2", manifest("/format/version", 2), {}},
    {"another format", CORRUPT, "format.name", manifest("/format/name", "onnx"), {}},
    {"unknown key", CORRUPT, "did you mean 'guards'", manifest("/gaurds", json::object()), {}},
    {"key twice",
     CORRUPT,
     "the key 'name' stands twice",
     rewritten("\"name\":\"flow\"", "\"name\":\"flow\",\"name\":\"f\""),
     {}},
    {"key missing", CORRUPT, "the key 'grid' is missing", without("", "grid"), {}},
    {"number too large for a double", CORRUPT, "not valid JSON", rewritten("0.5", "1e999"), {}},
    {"integer too large", CORRUPT, "multiple_of[0]", manifest("/grid/multiple_of/0", UINT64_MAX), {}},
    {"NaN constant", CORRUPT, "not valid JSON", rewritten("0.5", "NaN"), {}},
    {"NaN as text", CORRUPT, "std[0]: \"nan\"", manifest("/fields/0/normalisation/std/0", "nan"), {}},
    {"std negative",
     CORRUPT,
     "fields[0].normalisation.std[0]: -1.0",
     manifest("/fields/0/normalisation/std/0", -1.0),
     {}},
    {"std zero", CORRUPT, "greater than 0", manifest("/fields/0/normalisation/std/0", 0), {}},
    {"scale zero", CORRUPT, "greater than 0", manifest("/fields/0/prediction/scale/0", 0), {}},
    {"components beyond reason", CORRUPT, "at most", manifest("/fields/0/components", HUGE_SIZE), {}},
    {"channels in too small a number", CORRUPT, "2 entries given, expected 3", manifest("/fields/1/components", 3), {}},
    {"field twice", CORRUPT, "stands twice", manifest("/fields/3/name", "rho"), {}},
    {"field with a NUL in its name", CORRUPT, "without NUL", manifest("/fields/0/name", std::string("a\0b", 3)), {}},
    {"no field", CORRUPT, "at least one field", manifest("/fields", json::array()), {}},
    {"no axis", CORRUPT, "one to three axes", manifest("/grid/axes", json::array()), {}},
    {"grid beyond reason", CORRUPT, "at most", manifest("/grid/minimum_shape/0", INT64_MAX), {}},
    {"grid larger than any memory",
     CORRUPT,
     "more cells than any memory",
     [](FlowBundle &bundle) {
         bundle.manifest.erase("example");
         bundle.manifest["grid"]["minimum_shape"] = {HUGE_SIZE, HUGE_SIZE};
     },
     {}},
    {"time step zero", CORRUPT, "time.step", manifest("/time/step", 0), {}},
    {"preset outside its range", CORRUPT, "preset", manifest("/parameters/0/preset", 2), {}},
    {"guard of no field", CORRUPT, "did you mean 'p'", manifest("/guards/bounds/P", json::object()), {}},
    {"bounds upside down", CORRUPT, "above upper bound", manifest("/guards/bounds/p/lower", 2000), {}},
    {"no program", CORRUPT, "at least one program", manifest("/programs", json::array()), {}},
    // names of files
    {"entry above the bundle", CORRUPT, "leaves the bundle", program_file("../flow.surrogate/manifest.json"), {}},
    {"entry by way of its parent", CORRUPT, "leaves the bundle", program_file("programs/../../x"), {}},
    {"entry absolute", CORRUPT, "leaves the bundle", program_file("/etc/passwd"), {}},
    {"entry of another system", CORRUPT, "leaves the bundle", program_file("..\\x"), {}},
    {"entry without a name",
     CORRUPT,
     "programs[0].file: \"\" given, expected the path of a file in the bundle",
     program_file(""),
     {}},
    {"unused entry above the bundle", CORRUPT, "leaves the bundle", manifest("/files", {{"../x", ENTRY}}), {}},
    {"program without an entry", CORRUPT, "has no entry", manifest("/programs/0/file", "other.json"), {}},
    {"hash in capitals",
     CORRUPT,
     "hexadecimal",
     manifest("/files", {{PROGRAM, {{"bytes", 1}, {"sha256", std::string(64, 'A')}}}}),
     {}},
    {"size negative", CORRUPT, "bytes: -1", manifest("/files", {{PROGRAM, {{"bytes", -1}, {"sha256", ""}}}}), {}},
    {"wrong size", CORRUPT, "the manifest says 1", manifest("/files", {{PROGRAM, ENTRY}}), {}},
    // the program
    {"program missing", NOT_FOUND, PROGRAM, {}, removed(PROGRAM)},
    {"program truncated", CORRUPT, "truncated", {}, shorter(PROGRAM, 5)},
    {"program empty", CORRUPT, "truncated", {}, resized(PROGRAM, 0)},
    {"program of a terabyte", CORRUPT, "the manifest says", {}, resized(PROGRAM, HUGE_SIZE)},
    {"program edited", CORRUPT, "SHA-256", {}, flipped(PROGRAM)},
    {"program a folder", NOT_FOUND, "not a regular file", {}, folder_at(PROGRAM)},
    {"program a FIFO", NOT_FOUND, "not a regular file", {}, fifo_at(PROGRAM)},
    {"program a device", NOT_FOUND, "not a regular file", {}, linked(PROGRAM, "/dev/zero")},
    {"program a dangling link", NOT_FOUND, PROGRAM, {}, linked(PROGRAM, "nowhere")},
    {"program outside", CORRUPT, "leaves the bundle", {}, moved_out(PROGRAM)},
    {"folder of programs outside", CORRUPT, "leaves the bundle", {}, moved_out("programs")},
    {"program no JSON", SURROGATE_ERROR_ENGINE, "cannot load program", file(PROGRAM, "surely not JSON"), {}},
    {"program of another kind", SURROGATE_ERROR_ENGINE, "only operation", program("/operation", "magic"), {}},
    {"program inconsistent", SURROGATE_ERROR_ENGINE, "one entry for each", program("/scale", {1}), {}},
    {"program reads a channel too many", SURROGATE_ERROR_EXECUTION, "outside the input", program("/channels/0", 5), {}},
    {"program of fewer channels",
     SURROGATE_ERROR_EXECUTION,
     "[1, 3, 4, 4], expected [1, 4, 4, 4]",
     [](FlowBundle &bundle) {
         for (const char *key : {"scale", "offset", "channels"})
             bundle.program[key] = {1, 1, 1};
     },
     {}},
    // the example
    {"example missing", NOT_FOUND, EXAMPLE, {}, removed(EXAMPLE)},
    {"example truncated", CORRUPT, "truncated", {}, shorter(EXAMPLE, 1)},
    {"example edited", CORRUPT, "SHA-256", {}, flipped(EXAMPLE)},
    {"example outside", CORRUPT, "leaves the bundle", {}, moved_out(EXAMPLE)},
    {"example without a header", CORRUPT, "too short", file(EXAMPLE, "1234567"), {}},
    {"example with a header beyond its end", CORRUPT, "the header says", header("{}", UINT64_MAX), {}},
    {"example with a header of no JSON", CORRUPT, "not valid JSON", header("{\"input\": "), {}},
    {"example of doubles",
     CORRUPT,
     "dtype",
     header(R"({"input": {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]}})"),
     {}},
    {"example tensor beyond the file",
     CORRUPT,
     "data_offsets",
     header(R"({"input": {"dtype": "F32", "shape": [5], "data_offsets": [0, 20]}})"),
     {}},
    {"example tensor backwards",
     CORRUPT,
     "data_offsets",
     header(R"({"input": {"dtype": "F32", "shape": [4], "data_offsets": [16, 0]}})"),
     {}},
    {"example shape overflows",
     CORRUPT,
     "shape",
     header(R"({"input": {"dtype": "F32", "shape": [4294967296, 4294967296], "data_offsets": [0, 0]}})"),
     {}},
    {"example without input", CORRUPT, "no tensor 'input'", example({1, 5, 4, 4}, {1, 4, 4, 4}, "inputs"), {}},
    {"example of too many channels", CORRUPT, "shape [1, 6, 4, 4]", example({1, 6, 4, 4}, {1, 4, 4, 4}), {}},
    {"example of no cells", CORRUPT, "shape [1, 5, 0, 4]", example({1, 5, 0, 4}, {1, 4, 0, 4}), {}},
    {"example of another rank", CORRUPT, "shape [1, 5, 4]", example({1, 5, 4}, {1, 4, 4, 4}), {}},
    {"expected of another grid", CORRUPT, "tensor 'expected'", example({1, 5, 4, 4}, {1, 4, 4, 8}), {}},
};

bool opens_wrong(const BundleFault &fault, const char *from, int status, surrogate_model *&model) {
    const bool text = std::strstr(surrogate_last_error(), fault.text);
    if (status == fault.status && text && !model)
        return false;
    std::fprintf(stderr, "%s, from %s: %s, expected %s with '%s': %s\n", fault.name, from,
                 surrogate_status_name(status), surrogate_status_name(fault.status), fault.text,
                 surrogate_last_error());
    surrogate_close(model);
    return true;
}

void inject(const BundleFault &fault, const fs::path &out) {
    FlowBundle bundle;
    if (fault.edit)
        fault.edit(bundle);
    const fs::path folder = out / "faulty.surrogate";
    fs::remove_all(folder);
    bundle.write(folder);
    if (fault.cut)
        fault.cut(folder);
    auto *model = reinterpret_cast<surrogate_model *>(1);
    int status = surrogate_open(&model, folder.c_str(), nullptr);
    failures += opens_wrong(fault, "disk", status, model);
    fs::remove_all(folder);
    if (fault.cut)
        return;
    const auto all = bundle.put_together();
    std::vector<surrogate_file> files;
    for (const auto &[name, bytes] : all)
        files.push_back({name.c_str(), bytes.data(), bytes.size()});
    model = reinterpret_cast<surrogate_model *>(1);
    status = surrogate_open_memory(&model, files.data(), files.size(), nullptr);
    failures += opens_wrong(fault, "memory", status, model);
}

/// As a user who is not root, whom permissions do not stop.
void unreadable_files_are_named(const fs::path &out) {
    for (const char *name : {"manifest.json", PROGRAM}) {
        const fs::path folder = out / "unreadable.surrogate";
        fs::remove_all(folder);
        FlowBundle().write(folder);
        ::chmod((folder / name).c_str(), 0);
        const bool root = ::geteuid() == 0;
        if (root && ::seteuid(65534) != 0)
            return;
        surrogate_model *model = nullptr;
        CHECK_STATUS(surrogate_open(&model, folder.c_str(), nullptr), NOT_FOUND, "Permission denied");
        if (root)
            CHECK(::seteuid(0) == 0);
    }
}

void links_inside_a_bundle_are_followed(const fs::path &out) {
    const fs::path folder = out / "linked.surrogate", alias = out / "alias.surrogate";
    fs::remove_all(folder);
    fs::remove(alias);
    FlowBundle().write(folder);
    fs::rename(folder / PROGRAM, folder / "programs/real.json");
    fs::create_symlink("real.json", folder / PROGRAM);
    fs::create_directory_symlink(fs::absolute(folder), alias);
    for (const fs::path &path : {folder, alias}) {
        surrogate_model *model = nullptr;
        if (CHECK_STATUS(surrogate_open(&model, path.c_str(), nullptr), SURROGATE_OK, ""))
            CHECK(predicts_right(model));
        surrogate_close(model);
    }
}

void files_in_memory_are_checked() {
    const auto all = FlowBundle().put_together();
    std::vector<surrogate_file> files;
    for (const auto &[name, bytes] : all)
        files.push_back({name.c_str(), bytes.data(), bytes.size()});
    struct MemoryFault {
        int status;
        const char *text;
        void (*inject)(std::vector<surrogate_file> &);
    };
    const MemoryFault faults[] = {
        // in the order of names: example, manifest, program
        {SURROGATE_ERROR_ARGUMENT, "files[1]: name or data is NULL", [](auto &f) { f[1].name = nullptr; }},
        {SURROGATE_ERROR_ARGUMENT, "files[2]: name or data is NULL", [](auto &f) { f[2].data = nullptr; }},
        {SURROGATE_ERROR_ARGUMENT, "is that of files[0] too", [](auto &f) { f[2].name = f[0].name; }},
        {SURROGATE_ERROR_ARGUMENT, "count is 0",
         [](auto &f) {
             f.clear();
             f.reserve(1);
         }},
        {NOT_FOUND, "'programs/stub.json' of the bundle was not given", [](auto &f) { f.pop_back(); }},
        {NOT_FOUND, "did you mean 'manifest.jsn'", [](auto &f) { f[1].name = "manifest.jsn"; }},
        {CORRUPT, "truncated", [](auto &f) { f[2].size -= 1; }},
        {CORRUPT, "truncated", [](auto &f) { f[0].size = 0; }},
    };
    for (const MemoryFault &fault : faults) {
        auto damaged = files;
        fault.inject(damaged);
        auto *model = reinterpret_cast<surrogate_model *>(1);
        CHECK_STATUS(surrogate_open_memory(&model, damaged.data(), damaged.size(), nullptr), fault.status, fault.text);
        CHECK(model == nullptr);
    }
}

/// A file that changes after open is found by verify, and the model still predicts.
void damage_after_open_is_found(const fs::path &out) {
    const fs::path folder = out / "later.surrogate";
    fs::remove_all(folder);
    FlowBundle().write(folder);
    surrogate_model *model = nullptr;
    CHECK_STATUS(surrogate_open(&model, folder.c_str(), nullptr), SURROGATE_OK, "");
    surrogate_verification result;
    result.struct_size = sizeof result;
    CHECK_STATUS(surrogate_verify(model, &result), SURROGATE_OK, "");
    CHECK(result.passed == 1 && result.largest_difference == 0);
    flipped(EXAMPLE)(folder);
    CHECK_STATUS(surrogate_verify(model, &result), CORRUPT, "SHA-256");
    fs::remove(folder / PROGRAM);
    flipped(EXAMPLE)(folder);
    CHECK_STATUS(surrogate_verify(model, &result), NOT_FOUND, PROGRAM);
    CHECK(predicts_right(model));
    surrogate_close(model);
}

} // namespace

int main(int argc, char **argv) {
    start(argc, argv);
    const fs::path out = argv[1];
    fs::create_directories(out);
    const fs::path good = out / "flow.surrogate";
    fs::remove_all(good);
    FlowBundle().write(good);
    surrogate_model *model = nullptr;
    if (!CHECK_STATUS(surrogate_open(&model, good.c_str(), nullptr), SURROGATE_OK, ""))
        return finish();
    for (const BundleFault &fault : FAULTS) {
        inject(fault, out);
        if (!predicts_right(model)) {
            std::fprintf(stderr, "after '%s' another model predicts wrong\n", fault.name);
            ++failures;
        }
    }
    surrogate_close(model);
    unreadable_files_are_named(out);
    links_inside_a_bundle_are_followed(out);
    files_in_memory_are_checked();
    damage_after_open_is_found(out);
    std::printf("%zu faults\n", FAULTS.size());
    return finish();
}
