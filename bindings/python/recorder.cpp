#include "recorder.hpp"

#include "calling.hpp"
#include "recorder_options.hpp"

#include <pybind11/stl.h>

namespace py = pybind11;

namespace native {
std::unique_ptr<Recorder> Recorder::open(const std::string &path, const py::dict &given) {
    const RecorderOptions options(given);
    surrogate_recorder *handle = nullptr;
    {
        py::gil_scoped_release released;
        check(surrogate_recorder_open(&handle, path.c_str(), options.c()));
    }
    return std::unique_ptr<Recorder>(new Recorder(handle));
}

Recorder::~Recorder() {
    py::gil_scoped_release released;
    surrogate_recorder_close(handle_);
}

void Recorder::write(double time, const std::vector<Entry> &entries) {
    const std::vector<surrogate_field> fields = described(entries);
    surrogate_recorder *const handle = handle_;
    if (!handle)
        throw Failure(SURROGATE_ERROR_ARGUMENT, "this recorder is closed; open another one");
    py::gil_scoped_release released;
    check(surrogate_recorder_write(handle, time, fields.data(), fields.size()));
}

void Recorder::close() {
    surrogate_recorder *const handle = handle_;
    handle_ = nullptr;
    py::gil_scoped_release released;
    check(surrogate_recorder_close(handle));
}

} // namespace native
