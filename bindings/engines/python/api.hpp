// Python's functions, found at run time: this library links no libpython, so that it joins whatever interpreter the
// process has. Of Python's headers only types are used, and no macro that looks into an object: one build joins any
// version from 3.11 on. (Starting an interpreter needs PyConfig, whose layout belongs to one minor version.)
#pragma once

#include <Python.h>

#define SURROGATE_PYTHON_FUNCTIONS(USE)                                                                                \
    USE(Py_DecRef)                                                                                                     \
    USE(Py_GetVersion)                                                                                                 \
    USE(Py_InitializeFromConfig)                                                                                       \
    USE(Py_IsInitialized)                                                                                              \
    USE(Py_PreInitialize)                                                                                              \
    USE(PyConfig_Clear)                                                                                                \
    USE(PyConfig_InitPythonConfig)                                                                                     \
    USE(PyConfig_SetBytesString)                                                                                       \
    USE(PyDict_New)                                                                                                    \
    USE(PyErr_Clear)                                                                                                   \
    USE(PyErr_ExceptionMatches)                                                                                        \
    USE(PyErr_SetInterrupt)                                                                                            \
    USE(PyEval_SaveThread)                                                                                             \
    USE(PyGILState_Ensure)                                                                                             \
    USE(PyGILState_Release)                                                                                            \
    USE(PyImport_ImportModule)                                                                                         \
    USE(PyLong_AsLongLong)                                                                                             \
    USE(PyLong_AsVoidPtr)                                                                                              \
    USE(PyLong_FromLongLong)                                                                                           \
    USE(PyMemoryView_FromMemory)                                                                                       \
    USE(PyObject_CallFunction)                                                                                         \
    USE(PyObject_CallMethod)                                                                                           \
    USE(PyObject_IsTrue)                                                                                               \
    USE(PyPreConfig_InitIsolatedConfig)                                                                                \
    USE(PySequence_GetItem)                                                                                            \
    USE(PyStatus_Exception)                                                                                            \
    USE(PyTuple_GetItem)                                                                                               \
    USE(PyTuple_New)                                                                                                   \
    USE(PyTuple_SetItem)                                                                                               \
    USE(PyTuple_Size)                                                                                                  \
    USE(PyUnicode_AsUTF8AndSize)

namespace surrogate_python {

struct Api {
#define SURROGATE_DECLARE(name) decltype(&::name) name = nullptr;
    SURROGATE_PYTHON_FUNCTIONS(SURROGATE_DECLARE)
#undef SURROGATE_DECLARE
    PyObject **keyboard_interrupt = nullptr;
    bool started = false; // by us; otherwise it is the host's interpreter, which we joined
};

/// Holds the interpreter's lock on the calling thread, whichever thread that is and whether or not it holds it already.
class Lock {
  public:
    explicit Lock(const Api &api) : api_(api), state_(api.PyGILState_Ensure()) {}
    ~Lock() { api_.PyGILState_Release(state_); }
    Lock(const Lock &) = delete;
    Lock &operator=(const Lock &) = delete;

  private:
    const Api &api_;
    PyGILState_STATE state_;
};

/// An owned reference; made, moved and dropped under the Lock.
class Object {
  public:
    explicit Object(const Api &api, PyObject *owned = nullptr) : api_(&api), object_(owned) {}
    ~Object() { reset(); }
    Object(Object &&other) noexcept : api_(other.api_), object_(other.release()) {}
    Object &operator=(Object &&other) noexcept {
        if (this != &other) {
            reset();
            object_ = other.release();
        }
        return *this;
    }
    PyObject *get() const { return object_; }
    explicit operator bool() const { return object_ != nullptr; }
    PyObject *release() {
        PyObject *object = object_;
        object_ = nullptr;
        return object;
    }
    void reset() {
        if (object_)
            api_->Py_DecRef(release());
    }

  private:
    const Api *api_;
    PyObject *object_;
};

} // namespace surrogate_python
