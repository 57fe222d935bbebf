#include "environment.hpp"

#include "failure.hpp"

#include <patchlevel.h>

#include <cstdlib>
#include <dlfcn.h>
#include <fstream>
#include <map>
#include <unistd.h>

namespace surrogate_python {

namespace {

std::string variable(const char *name) {
    const char *value = std::getenv(name);
    return value ? value : "";
}

bool is_executable(const std::string &path) {
    return ::access(path.c_str(), X_OK) == 0;
}

std::string parent(std::string path, int levels = 1) {
    for (; levels > 0; --levels)
        path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    return path;
}

/// <environment>/bin/python, if this library lies in <environment>/lib/python3.x/site-packages/surrogate/lib.
std::string installed_python() {
    Dl_info place{};
    if (::dladdr(reinterpret_cast<const void *>(&installed_python), &place) == 0 || !place.dli_fname)
        return "";
    const std::string packages = parent(place.dli_fname, 3);
    const std::string name = "/site-packages";
    if (packages.size() < name.size() || packages.compare(packages.size() - name.size(), name.size(), name) != 0)
        return "";
    return parent(packages, 3) + "/bin/python";
}

/// Keys of <environment>/pyvenv.cfg; empty if `python` is in no virtual environment.
std::map<std::string, std::string> virtual_environment(const std::string &python) {
    std::map<std::string, std::string> values;
    std::ifstream file(parent(python, 2) + "/pyvenv.cfg");
    const auto trimmed = [](const std::string &text) {
        const auto first = text.find_first_not_of(" \t\r"), last = text.find_last_not_of(" \t\r");
        return first == std::string::npos ? std::string() : text.substr(first, last - first + 1);
    };
    for (std::string line; std::getline(file, line);)
        if (const auto equal = line.find('='); equal != std::string::npos)
            values[trimmed(line.substr(0, equal))] = trimmed(line.substr(equal + 1));
    return values;
}

/// An environment of another version would find no standard library.
void check_version(const std::string &python) {
    const auto values = virtual_environment(python);
    for (const char *key : {"version", "version_info"}) {
        const auto found = values.find(key);
        if (found == values.end())
            continue;
        const std::string version = found->second, expected = compiled_version();
        if (version.compare(0, expected.size(), expected) != 0 ||
            (version.size() > expected.size() && version[expected.size()] != '.'))
            throw Failure("the environment of " + python + " is of Python " + version +
                          ", this engine was compiled for " + expected +
                          "; name an interpreter of that version in engine_options {\"python\": ...} or "
                          "SURROGATE_PYTHON, or install surrogate in this environment");
        return;
    }
}

std::string named_python(const Wish &wish) {
    const bool wished = !wish.python.empty();
    const std::string path = wished ? wish.python : variable("SURROGATE_PYTHON");
    if (!path.empty() && !is_executable(path))
        throw Failure((wished ? "engine_options.python '" : "SURROGATE_PYTHON '") + path +
                          "' is no executable file; expected the path of an interpreter, for instance "
                          "/home/me/venv/bin/python",
                      SURROGATE_ERROR_ARGUMENT);
    return path;
}

} // namespace

std::string compiled_version() {
    return std::to_string(PY_MAJOR_VERSION) + "." + std::to_string(PY_MINOR_VERSION);
}

std::string environment_python(const Wish &wish) {
    std::string python = named_python(wish);
    const std::string activated = variable("VIRTUAL_ENV");
    for (const std::string &candidate :
         {activated.empty() ? "" : activated + "/bin/python", installed_python(), std::string(SURROGATE_BUILT_PYTHON)})
        if (python.empty() && is_executable(candidate))
            python = candidate;
    check_version(python);
    return python;
}

std::vector<std::string> libpython_files(const Wish &wish, const std::string &python) {
    const std::string named = wish.libpython.empty() ? variable("SURROGATE_LIBPYTHON") : wish.libpython;
    if (!named.empty())
        return {named};
    const std::string file = "libpython" + compiled_version() + ".so.1.0";
    auto home = virtual_environment(python)["home"]; // the folder of the interpreter that the environment extends
    if (home.empty())
        home = parent(python);
    return {parent(home) + "/lib/" + file, SURROGATE_BUILT_LIBPYTHON, file};
}

} // namespace surrogate_python
