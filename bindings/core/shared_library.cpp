#include "shared_library.h"

#if defined(__linux__)
#include "text.h"

#include <cstring>
#include <elf.h>
#include <fstream>
#include <link.h>
#include <sys/stat.h>

namespace surrogate::core {

std::string library_damage(const std::string &path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
        return ""; // dlopen says why, and opens nothing
    std::ifstream file(path, std::ios::binary);
    ElfW(Ehdr) header{};
    if (!file.read(reinterpret_cast<char *>(&header), sizeof header) ||
        std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(ElfW(Phdr)))
        return "";
    const auto size = static_cast<std::uint64_t>(status.st_size);
    file.seekg(static_cast<std::streamoff>(header.e_phoff));
    for (int i = 0; i < header.e_phnum; ++i) {
        ElfW(Phdr) segment{};
        const bool read = static_cast<bool>(file.read(reinterpret_cast<char *>(&segment), sizeof segment));
        if (!read || segment.p_offset > size || segment.p_filesz > size - segment.p_offset)
            return text(path, ": truncated: it has ", size,
                        " bytes and its segments reach beyond; copy or build it again");
    }
    return "";
}

} // namespace surrogate::core

#else

namespace surrogate::core {

std::string library_damage(const std::string &) {
    return "";
}

} // namespace surrogate::core
#endif
