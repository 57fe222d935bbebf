// surrogate._native_mpi: libsurrogate_mpi with Python's types. It takes and gives the types of surrogate._native; a
// communicator is an integer, as mpi4py's comm.py2f() gives it: no header of mpi4py is needed.
#include "exceptions.hpp"
#include "mpi_model.hpp"
#include "mpi_recorder.hpp"

#include <pybind11/stl.h>

namespace py = pybind11;
using native::MpiModel;
using native::MpiOptions;
using native::MpiRecorder;
using native::Place;

namespace {

// What this module was compiled for; a library of another family has other handles under the same names.
const char *implementation() {
#if defined(OPEN_MPI)
    return "Open MPI";
#elif defined(I_MPI_VERSION)
    return "Intel(R) MPI";
#elif defined(MVAPICH2_VERSION)
    return "MVAPICH";
#elif defined(MPICH_VERSION)
    return "MPICH";
#else
    return "";
#endif
}

// Of the library that is loaded, in its own words; legal before MPI_Init.
std::string library_version() {
    char text[MPI_MAX_LIBRARY_VERSION_STRING + 1] = "";
    int length = 0;
    MPI_Get_library_version(text, &length);
    return text;
}

// Number of ranks that this MPI sees behind the handle, after MPI_Init; 0 if it sees no communicator.
int size(int handle) {
    const MPI_Comm comm = MPI_Comm_f2c(handle);
    int ranks = 0;
    if (comm == MPI_Comm() || comm == MPI_COMM_NULL || MPI_Comm_size(comm, &ranks) != MPI_SUCCESS)
        return 0;
    return ranks;
}

} // namespace

PYBIND11_MODULE(_native_mpi, m) {
    m.doc() = "libsurrogate_mpi with Python's types; use surrogate.mpi instead.";
    py::module_::import("surrogate._native"); // whose types are taken and given
    py::register_local_exception_translator(native::translate);

    m.attr("IMPLEMENTATION") = implementation();
    m.attr("MODES") = py::dict(py::arg("auto") = static_cast<int>(SURROGATE_MPI_AUTO),
                               py::arg("tiles") = static_cast<int>(SURROGATE_MPI_TILES),
                               py::arg("gather") = static_cast<int>(SURROGATE_MPI_GATHER),
                               py::arg("batch") = static_cast<int>(SURROGATE_MPI_BATCH));
    m.def("library_version", &library_version);
    m.def("size", &size, py::arg("communicator"));

    py::class_<MpiOptions>(m, "MpiOptions")
        .def(py::init([](std::int32_t mode, std::int32_t leaders, std::int32_t reader, double deadline,
                         std::vector<std::int64_t> tile_shape) {
                 return MpiOptions{mode, leaders, reader, deadline, std::move(tile_shape)};
             }),
             py::kw_only(), py::arg("mode"), py::arg("leaders"), py::arg("reader"), py::arg("deadline"),
             py::arg("tile_shape"));

    py::class_<Place>(m, "Place")
        .def(py::init([](std::vector<std::int64_t> origin, std::vector<std::int64_t> global_shape) {
                 return Place{std::move(origin), std::move(global_shape)};
             }),
             py::kw_only(), py::arg("origin"), py::arg("global_shape"));

    py::class_<MpiModel>(m, "Model")
        .def_static("open", &MpiModel::open, py::arg("communicator"), py::arg("path"), py::arg("options"),
                    py::arg("mpi"))
        .def("predict", &MpiModel::predict, py::arg("output"), py::arg("input"), py::arg("step"), py::arg("place"))
        .def("abstain", &MpiModel::abstain)
        .def("info", &MpiModel::info)
        .def("fields", &MpiModel::fields)
        .def("parameters", &MpiModel::parameters)
        .def("statistics", &MpiModel::statistics)
        .def("last_rejection", &MpiModel::last_rejection)
        .def("report", &MpiModel::report)
        .def("close", &MpiModel::close)
        .def_property_readonly("closed", &MpiModel::closed);

    py::class_<MpiRecorder>(m, "Recorder")
        .def_static("open", &MpiRecorder::open, py::arg("communicator"), py::arg("path"), py::arg("options"),
                    py::arg("deadline"))
        .def("write", &MpiRecorder::write, py::arg("time"), py::arg("fields"), py::arg("place"))
        .def("abstain", &MpiRecorder::abstain)
        .def("close", &MpiRecorder::close)
        .def_property_readonly("closed", &MpiRecorder::closed);
}
