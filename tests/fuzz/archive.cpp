#include "archive.h"

#include "sha256.h"

#include <nlohmann/json.hpp>

#include <algorithm>

using nlohmann::json;

static void make_hashes_right(Archive &archive) {
    for (auto &[name, bytes] : archive)
        if (name == "manifest.json") {
            json manifest = json::parse(bytes, nullptr, false);
            if (!manifest.is_object() || !manifest.contains("files") || !manifest["files"].is_object())
                return;
            for (const auto &[file, content] : archive)
                if (manifest["files"].contains(file))
                    manifest["files"][file] = {{"bytes", content.size()},
                                               {"sha256", surrogate::core::sha256(content.data(), content.size())}};
            bytes = manifest.dump(-1, ' ', false, json::error_handler_t::replace);
        }
}

Archive unpack(const std::string &input) {
    Archive archive;
    const bool right = input.compare(0, 2, "+\n") == 0;
    const std::string text = "\n" + input, mark = "\n@@ ";
    for (std::size_t at = text.find(mark); at != std::string::npos;) {
        const std::size_t name = at + mark.size(), line = text.find('\n', name);
        if (line == std::string::npos)
            break;
        at = text.find(mark, line);
        archive.emplace_back(text.substr(name, line - name),
                             text.substr(line + 1, at == std::string::npos ? at : std::max(at, line + 1) - line - 1));
    }
    if (right)
        make_hashes_right(archive);
    return archive;
}

std::vector<surrogate_file> files_of(const Archive &archive) {
    std::vector<surrogate_file> files;
    for (const auto &[name, bytes] : archive)
        files.push_back({name.c_str(), bytes.data(), bytes.size()});
    return files;
}
