#include "mpi_recorder.hpp"

#include "calling.hpp"
#include "recorder_options.hpp"

#include <utility>

namespace py = pybind11;

namespace native {

std::unique_ptr<MpiRecorder> MpiRecorder::open(int communicator, const std::string &path, const py::dict &given,
                                               double deadline) {
    const RecorderOptions options(given);
    auto self = std::make_unique<MpiRecorder>();
    called([&] {
        return surrogate_mpi_recorder_open_f(&self->handle_, communicator, path.c_str(), options.c(), deadline);
    });
    return self;
}

surrogate_mpi_recorder *MpiRecorder::handle() const {
    if (!handle_)
        throw Failure(SURROGATE_ERROR_ARGUMENT, "this recorder is closed; open another one");
    return handle_;
}

void MpiRecorder::write(double time, const std::vector<Entry> &entries, const Place &place) {
    surrogate_mpi_recorder *const recorder = handle();
    std::vector<surrogate_field> fields;
    try {
        fields = described(entries);
    } catch (...) { // want of memory too
        abstain();
        throw;
    }
    called([&] {
        return surrogate_mpi_recorder_write(recorder, time, fields.data(), fields.size(), place.origin.data(),
                                            place.global_shape.data());
    });
}

void MpiRecorder::abstain() {
    surrogate_mpi_recorder *const recorder = handle();
    py::gil_scoped_release released;
    surrogate_mpi_recorder_write(recorder, 0, nullptr, 0, nullptr, nullptr);
}

void MpiRecorder::close() {
    surrogate_mpi_recorder *const recorder = std::exchange(handle_, nullptr);
    called([&] { return surrogate_mpi_recorder_close(recorder); });
}

} // namespace native
