#include "interpreter.hpp"

#include "failure.hpp"

#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <mutex>

namespace surrogate_python {

namespace {

std::string loader_message() {
    const char *text = ::dlerror();
    return text ? text : "no reason given";
}

/// Path of a libpython that the process has opened without showing its symbols; "" if there is none.
std::string hidden_libpython() {
    std::string path;
    ::dl_iterate_phdr(
        [](dl_phdr_info *info, std::size_t, void *found) {
            const char *slash = std::strrchr(info->dlpi_name, '/');
            const bool python = std::strncmp(slash ? slash + 1 : info->dlpi_name, "libpython3.", 11) == 0;
            if (python)
                *static_cast<std::string *>(found) = info->dlpi_name;
            return python ? 1 : 0;
        },
        &path);
    return path;
}

void *open_libpython(const Wish &wish, const std::string &python) {
    std::string report;
    for (const auto &file : libpython_files(wish, python)) {
        if (void *library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL))
            return library;
        report += "\n  " + loader_message();
    }
    throw Failure("no libpython can be opened; install one (apt-get install libpython" + compiled_version() +
                  ", or a Python built with --enable-shared) or name it in engine_options {\"libpython\": ...} or "
                  "SURROGATE_LIBPYTHON. Tried:" +
                  report);
}

/// Where Python's functions are: RTLD_DEFAULT if the process shows them.
void *find_library(const Wish &wish) {
    if (::dlsym(RTLD_DEFAULT, "Py_IsInitialized"))
        return RTLD_DEFAULT;
    if (const std::string path = hidden_libpython(); !path.empty())
        if (void *library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD))
            return library;
    return open_libpython(wish, environment_python(wish));
}

template <class Function> void bind(Function &function, void *library, const char *name) {
    function = reinterpret_cast<Function>(::dlsym(library, name));
    if (!function)
        throw Failure(std::string("the Python of this process has no ") + name + "; expected CPython 3.11 or newer (" +
                      loader_message() + ")");
}

Api bound(void *library) {
    Api api;
#define SURROGATE_BIND(name) bind(api.name, library, #name);
    SURROGATE_PYTHON_FUNCTIONS(SURROGATE_BIND)
#undef SURROGATE_BIND
    bind(api.keyboard_interrupt, library, "PyExc_KeyboardInterrupt");
    int major = 0, minor = 0;
    if (std::sscanf(api.Py_GetVersion(), "%d.%d", &major, &minor) != 2 || major != 3 || minor < 11)
        throw Failure(std::string("this process runs Python ") + api.Py_GetVersion() + ", expected 3.11 or newer");
    if (!api.Py_IsInitialized() && minor != PY_MINOR_VERSION)
        throw Failure(std::string("libpython is of Python ") + api.Py_GetVersion() + ", this engine was compiled for " +
                      compiled_version() +
                      "; name a libpython of that version in engine_options {\"libpython\": ...} "
                      "or SURROGATE_LIBPYTHON, or install surrogate with the other Python");
    return api;
}

void check(const Api &api, const PyStatus &status, const std::string &python) {
    if (!api.PyStatus_Exception(status))
        return;
    throw Failure("Python cannot be started for " + (python.empty() ? std::string("no environment") : python) + ": " +
                  (status.err_msg ? status.err_msg : "no reason given") +
                  "; are its standard library and libpython of one installation? Name both in engine_options "
                  "{\"python\": ..., \"libpython\": ...}");
}

void start(Api &api, const std::string &python) {
    PyPreConfig before; // isolated: the locale is neither read nor set
    api.PyPreConfig_InitIsolatedConfig(&before);
    before.isolated = 0;
    before.use_environment = 1;
    before.utf8_mode = 1;
    check(api, api.Py_PreInitialize(&before), python);

    PyConfig config;
    api.PyConfig_InitPythonConfig(&config);
    config.install_signal_handlers = 0;
    config.parse_argv = 0;
    config.configure_c_stdio = 0;
    config.pathconfig_warnings = 0; // they are printed; a failure has its text
    PyStatus status = {};
    if (!python.empty())
        for (wchar_t **place : {&config.program_name, &config.executable})
            if (!api.PyStatus_Exception(status))
                status = api.PyConfig_SetBytesString(&config, place, python.c_str());
    if (!api.PyStatus_Exception(status))
        status = api.Py_InitializeFromConfig(&config);
    api.PyConfig_Clear(&config);
    check(api, status, python);
    api.started = true;
    api.PyEval_SaveThread(); // this thread's state is kept by Python for its later calls
}

} // namespace

const Api &interpreter(const Wish &wish) {
    static std::mutex mutex;
    static Api api;
    static bool ready = false;
    static std::string broken; // a start that failed cannot be repeated in this process
    const std::lock_guard<std::mutex> lock(mutex);
    if (ready)
        return api;
    if (!broken.empty())
        throw Failure(broken + " (it failed before; start the process again)");
    api = bound(find_library(wish));
    if (!api.Py_IsInitialized()) {
        const std::string python = environment_python(wish);
        try {
            start(api, python);
        } catch (const Failure &failure) {
            broken = failure.what();
            throw;
        }
    }
    ready = true;
    return api;
}

std::string visible_version() {
    const auto version = reinterpret_cast<decltype(&Py_GetVersion)>(::dlsym(RTLD_DEFAULT, "Py_GetVersion"));
    const std::string text = version ? version() : "";
    return text.substr(0, text.find(' '));
}

} // namespace surrogate_python
