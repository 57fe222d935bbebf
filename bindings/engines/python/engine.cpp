// The engine's table: a program is a Python callable (caller.py says how it is called), run in the interpreter of the
// process or in one that is started at the first load. Engine options, all optional:
//   {"python": "/home/me/venv/bin/python",   whose packages are used, if the process has no interpreter yet
//    "libpython": "/usr/lib/libpython3.11.so.1.0",
//    "communicator": 42,                     a Fortran handle of an MPI communicator, handed on
//    ...}                                    any other: the program's own, in context.options
// A thread that holds the interpreter's lock should give it up around calls of libsurrogate (surrogate._native and
// ctypes do): another thread in the same model may be waiting for it.
#include "../engine.h"
#include "failure.hpp"
#include "interpreter.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

namespace surrogate_python {
extern const char caller_source[]; // caller.py
} // namespace surrogate_python

struct surrogate_program {
    const surrogate_python::Api *api;
    surrogate_python::Object program, result; // result: the array whose memory the last run has given out
};

namespace surrogate_python {
namespace {

char version[64] = "python, none started"; // written before the first program exists

void tell(surrogate_engine_error *error, const char *text) {
    if (error && error->text && error->size)
        std::snprintf(error->text, error->size, "%s", text);
}

template <class Body> int guarded(surrogate_engine_error *error, int otherwise, Body &&body) noexcept {
    try {
        body();
        return SURROGATE_OK;
    } catch (const Failure &failure) {
        tell(error, failure.what());
        return failure.status;
    } catch (const std::bad_alloc &) {
        tell(error, "out of memory");
        return SURROGATE_ERROR_MEMORY;
    } catch (const std::exception &failure) {
        tell(error, failure.what());
    } catch (...) {
        tell(error, "an exception of unknown type");
    }
    return otherwise;
}

/// Ctrl-C in a Python host is the host's to see: it is raised again where the call into this engine returns to.
void interrupt_host(const Api &api) {
    if (!api.started)
        api.PyErr_SetInterrupt();
}

/// Clear the error in flight; whether it was Ctrl-C, which may come between any two lines of Python.
bool clear_interrupt(const Api &api) {
    const bool interrupted = api.PyErr_ExceptionMatches(*api.keyboard_interrupt) == 1;
    api.PyErr_Clear();
    if (interrupted)
        interrupt_host(api);
    return interrupted;
}

/// An object, or a Failure: caller.py catches what programs raise, so that only Python itself can have failed.
Object need(const Api &api, PyObject *owned) {
    if (owned)
        return Object(api, owned);
    if (clear_interrupt(api))
        throw Failure("interrupted (KeyboardInterrupt)", SURROGATE_ERROR_EXECUTION);
    throw Failure("Python cannot go on: out of memory, or the interpreter is ending", SURROGATE_ERROR_MEMORY);
}

/// Throw the text that stands first in what caller.py returns, unless it is empty.
void throw_text(const Api &api, const Object &outcome, int status) {
    Py_ssize_t size = 0;
    const char *words = api.PyUnicode_AsUTF8AndSize(api.PyTuple_GetItem(outcome.get(), 0), &size);
    if (!words)
        api.PyErr_Clear();
    if (!words || size > 0)
        throw Failure(words ? words : "a failure whose text is not valid Unicode", status);
}

/// `load` of caller.py, which is compiled once. Under the Lock; never freed.
PyObject *load_function(const Api &api) {
    static PyObject *function = nullptr;
    if (!function) {
        const Object builtins = need(api, api.PyImport_ImportModule("builtins"));
        const Object code = need(api, api.PyObject_CallMethod(builtins.get(), "compile", "sss", caller_source,
                                                              "<surrogate python engine>", "exec"));
        Object made = need(api, api.PyDict_New());
        const Object name =
            need(api, api.PyObject_CallMethod(made.get(), "__setitem__", "ss", "__name__", "surrogate_engine_python"));
        const Object done = need(api, api.PyObject_CallMethod(builtins.get(), "exec", "OO", code.get(), made.get()));
        function = need(api, api.PyObject_CallMethod(made.get(), "get", "s", "load")).release();
    }
    return function;
}

Wish wish_of(const nlohmann::json &options) {
    Wish wish;
    for (const auto &[key, place] : {std::pair{"python", &wish.python}, std::pair{"libpython", &wish.libpython}}) {
        const auto found = options.find(key);
        if (found == options.end() || found->is_null())
            continue;
        if (!found->is_string())
            throw Failure(std::string("engine_options.") + key + " " + found->dump() + " given, expected a path",
                          SURROGATE_ERROR_ARGUMENT);
        *place = found->get<std::string>();
    }
    return wish;
}

void name_version(const Api &api) {
    const std::string running = api.Py_GetVersion();
    std::snprintf(version, sizeof version, "python %.32s", running.substr(0, running.find(' ')).c_str());
}

Object load_program(const Api &api, const surrogate_engine_load &request, const char *options) {
    const char *path = request.path ? request.path : "<bundle in memory>";
    const int flush = api.started;
    if (request.size == 0)
        return need(api, api.PyObject_CallFunction(load_function(api), "szssisi", request.entry, nullptr, path,
                                                   request.device, request.threads, options, flush));
    char *data = static_cast<char *>(const_cast<void *>(request.data)); // PyBUF_READ: only read
    const Object source =
        need(api, api.PyMemoryView_FromMemory(data, static_cast<Py_ssize_t>(request.size), PyBUF_READ));
    return need(api, api.PyObject_CallFunction(load_function(api), "sOssisi", request.entry, source.get(), path,
                                               request.device, request.threads, options, flush));
}

void load(surrogate_program **program, const surrogate_engine_load &request) {
    if (std::strcmp(request.format, "python") != 0 || !request.entry || !*request.entry)
        throw Failure(std::string("the python engine runs programs of format python with an entry, format '") +
                          request.format + "' given",
                      SURROGATE_ERROR_UNSUPPORTED);
    const char *options = request.options ? request.options : "{}";
    const Api &api = interpreter(wish_of(nlohmann::json::parse(options)));
    const Lock lock(api);
    name_version(api);
    const Object outcome = load_program(api, request, options);
    throw_text(api, outcome, SURROGATE_ERROR_ENGINE);
    Object loaded(api, api.PySequence_GetItem(outcome.get(), 1)); // a reference of our own
    *program = new surrogate_program{&api, need(api, loaded.release()), Object(api)};
}

/// The inputs as tuples of memoryviews and of shapes: no value is copied.
std::pair<Object, Object> arguments(const Api &api, const surrogate_tensor *inputs, int count) {
    Object views = need(api, api.PyTuple_New(count)), shapes = need(api, api.PyTuple_New(count));
    for (int i = 0; i < count; ++i) {
        const surrogate_tensor &input = inputs[i];
        if (input.dtype != SURROGATE_FLOAT32 || input.memory != SURROGATE_HOST)
            throw Failure("the python engine takes float32 in host memory", SURROGATE_ERROR_UNSUPPORTED);
        Object shape = need(api, api.PyTuple_New(input.rank));
        Py_ssize_t bytes = sizeof(float);
        for (int axis = 0; axis < input.rank; ++axis) {
            bytes *= static_cast<Py_ssize_t>(input.shape[axis]);
            api.PyTuple_SetItem(shape.get(), axis, need(api, api.PyLong_FromLongLong(input.shape[axis])).release());
        }
        Object view = need(api, api.PyMemoryView_FromMemory(static_cast<char *>(input.data), bytes, PyBUF_READ));
        api.PyTuple_SetItem(views.get(), i, view.release());
        api.PyTuple_SetItem(shapes.get(), i, shape.release());
    }
    return {std::move(views), std::move(shapes)};
}

void describe(const Api &api, surrogate_tensor &output, const Object &outcome) {
    PyObject *shape = api.PyTuple_GetItem(outcome.get(), 4);
    output = {};
    output.data = api.PyLong_AsVoidPtr(api.PyTuple_GetItem(outcome.get(), 3));
    output.dtype = SURROGATE_FLOAT32;
    output.memory = SURROGATE_HOST;
    output.rank = static_cast<int32_t>(api.PyTuple_Size(shape));
    for (int axis = 0; axis < output.rank; ++axis)
        output.shape[axis] = api.PyLong_AsLongLong(api.PyTuple_GetItem(shape, axis));
}

void run(surrogate_program &program, surrogate_tensor &output, const surrogate_tensor *inputs, int count) {
    const Api &api = *program.api;
    if (!api.Py_IsInitialized())
        throw Failure("the interpreter of this process has ended; close the model before Python ends",
                      SURROGATE_ERROR_EXECUTION);
    const Lock lock(api);
    program.result.reset(); // its memory is Python's to use again
    const auto [views, shapes] = arguments(api, inputs, count);
    Object outcome = need(api, api.PyObject_CallMethod(program.program.get(), "run", "OO", views.get(), shapes.get()));
    if (api.PyObject_IsTrue(api.PyTuple_GetItem(outcome.get(), 1)) == 1)
        interrupt_host(api);
    throw_text(api, outcome, SURROGATE_ERROR_EXECUTION);
    describe(api, output, outcome);
    program.result = std::move(outcome);
}

void destroy(surrogate_program *program) {
    if (!program)
        return;
    const Api &api = *program->api;
    if (!api.Py_IsInitialized()) { // the objects went with the interpreter
        program->program.release();
        program->result.release();
        delete program;
        return;
    }
    const Lock lock(api);
    const Object closed(api, api.PyObject_CallMethod(program->program.get(), "close", nullptr));
    if (!closed)
        clear_interrupt(api); // nobody could be told of anything else
    delete program;
}

int load_entry(surrogate_program **program, const surrogate_engine_load *request, surrogate_engine_error *error) {
    return guarded(error, SURROGATE_ERROR_ENGINE, [&] { load(program, *request); });
}

int run_entry(surrogate_program *program, surrogate_tensor *output, const surrogate_tensor *inputs, int32_t input_count,
              void *, surrogate_engine_error *error) {
    return guarded(error, SURROGATE_ERROR_EXECUTION, [&] { run(*program, *output, inputs, input_count); });
}

void destroy_entry(surrogate_program *program) {
    guarded(nullptr, SURROGATE_ERROR_INTERNAL, [&] { destroy(program); });
}

const surrogate_engine engine = {SURROGATE_ENGINE_ABI, "python", version, load_entry, run_entry, destroy_entry};

} // namespace
} // namespace surrogate_python

extern "C" __attribute__((visibility("default"))) int
surrogate_engine_entry(const surrogate_engine **entry, uint32_t abi, surrogate_engine_error *error) {
    using namespace surrogate_python;
    if (abi != SURROGATE_ENGINE_ABI) {
        tell(error, "built for another engine interface; install surrogate again");
        return SURROGATE_ERROR_ENGINE;
    }
    return guarded(error, SURROGATE_ERROR_ENGINE, [&] {
        if (const std::string running = visible_version(); !running.empty())
            std::snprintf(version, sizeof version, "python %.32s", running.c_str());
        *entry = &engine;
    });
}
