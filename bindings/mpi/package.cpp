#include "package.h"

#include "byte_stream.h"
#include "core/files.h"
#include "core/folder.h"
#include "core/json_node.h"
#include "core/sha256.h"

#include <algorithm>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace surrogate::mpi {

namespace {

/// Files of a bundle that open reads: of programs that an engine may run, and the example.
struct Needs {
    std::set<std::string> files;
    bool folder = false;
};

/// Read the manifest, which libsurrogate has checked.
Needs needs_of(const core::Bytes &manifest) {
    core::JsonDocument storage;
    const auto root =
        core::JsonNode::parse(storage, {manifest.data(), manifest.size()}, "manifest.json", SURROGATE_ERROR_CORRUPT);
    Needs needs;
    for (const auto &program : root.at("programs").array()) {
        const std::string format = program.at("format").string();
        const auto file = program.find("file");
        if (file && format != "torch.export") // which no engine runs
            needs.files.insert(file->string());
        needs.folder = needs.folder || format == "aoti"; // a shared library
    }
    if (const auto example = root.find("example")) {
        const auto file = example->find("file");
        needs.files.insert(file ? file->string() : "example.safetensors");
    }
    return needs;
}

} // namespace

Package::Package(const std::vector<char> &packed) {
    ByteReader in(packed);
    needs_folder_ = in.number<bool>();
    files_.resize(in.number<std::uint64_t>());
    for (File &file : files_) {
        file.part = static_cast<Part>(in.number<std::uint8_t>());
        file.size = in.number<std::uint64_t>();
        file.name = in.string();
    }
}

std::vector<char> Package::packed() const {
    ByteWriter out;
    out.number(needs_folder_);
    out.number(static_cast<std::uint64_t>(files_.size()));
    for (const File &file : files_) {
        out.number(static_cast<std::uint8_t>(file.part));
        out.number(file.size);
        out.string(file.name);
    }
    return out.bytes;
}

void Package::list(const std::string &bundle, const std::string &overlay) {
    const auto add = [&](const std::string &name) {
        const std::string path = bundle + "/" + name;
        core::check_inside(bundle, path, "bundle");
        files_.push_back({name, static_cast<std::uint64_t>(core::file_size(path)), BUNDLE, path});
    };
    add("manifest.json");
    const core::Bytes manifest = core::read_file(files_.front().path);
    const Needs needs = needs_of(manifest);
    needs_folder_ = needs.folder;
    for (const std::string &name : needs.files)
        add(name);
    if (overlay.empty())
        return;
    const std::string root = core::overlay_of(overlay, core::sha256(manifest.data(), manifest.size()));
    const std::string folder = root.substr(root.rfind('/') + 1);
    for (const std::string &name : core::names_in(root))
        if (name[0] != '.') // being written
            list_overlay(root.substr(0, root.rfind('/')), folder + "/" + name);
}

/// A file, or all of a folder; links and what cannot be read are left out, and missed by who opens the overlay.
void Package::list_overlay(const std::string &folder, const std::string &name) {
    const std::string path = folder + "/" + name;
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0)
        return;
    if (S_ISDIR(status.st_mode))
        for (const std::string &inner : core::names_in(path))
            list_overlay(folder, name + "/" + inner);
    else if (S_ISREG(status.st_mode) && ::access(path.c_str(), R_OK) == 0)
        files_.push_back({name, static_cast<std::uint64_t>(status.st_size), OVERLAY, path});
}

void Package::read(char *bytes) const {
    for (const File &file : files_) {
        core::read_file(file.path, bytes, file.size);
        bytes += file.size;
    }
}

std::uint64_t Package::size() const {
    std::uint64_t sum = 0;
    for (const File &file : files_)
        sum += file.size;
    return sum;
}

bool Package::has_overlay() const {
    return std::any_of(files_.begin(), files_.end(), [](const File &file) { return file.part == OVERLAY; });
}

std::vector<surrogate_file> Package::bundle_files(const char *bytes) const {
    std::vector<surrogate_file> given;
    for (const File &file : files_) {
        if (file.part == BUNDLE)
            given.push_back({file.name.c_str(), bytes, file.size});
        bytes += file.size;
    }
    return given;
}

void Package::unpack(const ScratchFolder &folder, const char *bytes) const {
    for (const File &file : files_) {
        if (file.part == OVERLAY)
            folder.write("overlay/" + file.name, bytes, file.size);
        else if (needs_folder_)
            folder.write("bundle/" + file.name, bytes, file.size);
        bytes += file.size;
    }
}

} // namespace surrogate::mpi
