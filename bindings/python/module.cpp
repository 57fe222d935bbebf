// surrogate._native: the C API of libsurrogate with Python's types. Meaning lives in surrogate.h, comfort in
// surrogate/*.py.
#include "exceptions.hpp"
#include "failure.hpp"
#include "model.hpp"
#include "recorder.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <limits>

namespace py = pybind11;
using native::DeviceArray;
using native::Model;
using native::OpenOptions;
using native::Recorder;
using native::StepOptions;

namespace {

OpenOptions open_options(std::optional<std::string> engine, std::optional<std::string> program,
                         std::optional<std::string> device, std::optional<std::string> precision, int threads,
                         int verify, std::optional<std::string> guards, std::optional<std::string> engine_path,
                         std::optional<std::string> engine_options, std::optional<std::string> overlay, py::object log,
                         std::optional<std::string> record_calls, bool preload) {
    OpenOptions options;
    options.engine = std::move(engine);
    options.program = std::move(program);
    options.device = std::move(device);
    options.precision = std::move(precision);
    options.threads = threads;
    options.verify = verify;
    options.guards = std::move(guards);
    options.engine_path = std::move(engine_path);
    options.engine_options = std::move(engine_options);
    options.overlay = std::move(overlay);
    options.log = std::move(log);
    options.record_calls = std::move(record_calls);
    options.preload = preload;
    return options;
}

StepOptions step_options(std::optional<std::int64_t> step, std::optional<double> time, std::uint64_t seed,
                         std::int64_t member, std::optional<std::vector<double>> parameters, std::int64_t members,
                         std::uintptr_t stream, std::int64_t steps, std::optional<double> guidance,
                         std::optional<std::string> caption) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    StepOptions options;
    options.step = step.value_or(-1);
    options.time = time.value_or(none);
    options.seed = seed;
    options.member = member;
    options.parameters = std::move(parameters);
    options.members = members;
    options.stream = stream;
    options.steps = steps;
    options.guidance = guidance.value_or(none);
    options.caption = std::move(caption);
    return options;
}

// surrogate_noise: (channels, *shape), float32.
py::array_t<float> noise(const std::vector<std::int64_t> &shape, const StepOptions &step, std::int64_t channels,
                         std::int64_t input, const std::vector<std::int64_t> &origin,
                         const std::vector<std::int64_t> &global_shape) {
    surrogate_step_options options;
    surrogate_step_options_init(&options, sizeof options);
    options.step = step.step;
    options.seed = step.seed;
    options.member = step.member;
    std::copy_n(origin.begin(), std::min<std::size_t>(origin.size(), 3), options.origin);
    std::copy_n(global_shape.begin(), std::min<std::size_t>(global_shape.size(), 3), options.global_shape);
    std::vector<py::ssize_t> extents = {channels};
    extents.insert(extents.end(), shape.begin(), shape.end());
    py::array_t<float> values(extents);
    native::check(surrogate_noise(values.mutable_data(), input, channels, static_cast<int>(shape.size()), shape.data(),
                                  &options));
    return values;
}

} // namespace

PYBIND11_MODULE(_native, m) {
    m.doc() = "The C API of libsurrogate with Python's types; use the package surrogate instead.";
    m.attr("make_error") = py::none();
    m.attr("SURROGATE_VERSION") = SURROGATE_VERSION;
    m.attr("OK") = static_cast<int>(SURROGATE_OK);
    m.attr("REJECTED") = static_cast<int>(SURROGATE_REJECTED);
    m.attr("VERIFY_HASHES") = static_cast<int>(SURROGATE_VERIFY_HASHES);
    m.attr("VERIFY_EXAMPLE") = static_cast<int>(SURROGATE_VERIFY_EXAMPLE);
    py::register_local_exception_translator(native::translate);

    m.def("version", &surrogate_version);
    m.def("status_name", &surrogate_status_name, py::arg("status"));
    m.def("last_error", &surrogate_last_error);

    py::class_<OpenOptions>(m, "OpenOptions")
        .def(py::init(&open_options), py::kw_only(), py::arg("engine") = py::none(), py::arg("program") = py::none(),
             py::arg("device") = py::none(), py::arg("precision") = py::none(), py::arg("threads") = 0,
             py::arg("verify") = static_cast<int>(SURROGATE_VERIFY_HASHES), py::arg("guards") = py::none(),
             py::arg("engine_path") = py::none(), py::arg("engine_options") = py::none(),
             py::arg("overlay") = py::none(), py::arg("log") = py::none(), py::arg("record_calls") = py::none(),
             py::arg("preload") = false);

    py::class_<StepOptions>(m, "StepOptions")
        .def(py::init(&step_options), py::kw_only(), py::arg("step") = py::none(), py::arg("time") = py::none(),
             py::arg("seed") = 0, py::arg("member") = 0, py::arg("parameters") = py::none(), py::arg("members") = 1,
             py::arg("stream") = 0, py::arg("steps") = 0, py::arg("guidance") = py::none(),
             py::arg("caption") = py::none());

    py::class_<DeviceArray>(m, "DeviceArray")
        .def(py::init([](py::object owner, std::uintptr_t pointer, std::string typestr, std::vector<std::int64_t> shape,
                         std::vector<std::int64_t> strides, std::int32_t device, bool writeable) {
                 if (shape.size() != strides.size())
                     throw py::value_error("shape and strides differ in length");
                 return DeviceArray{std::move(owner),   pointer, std::move(typestr), std::move(shape),
                                    std::move(strides), device,  writeable};
             }),
             py::arg("owner"), py::kw_only(), py::arg("pointer"), py::arg("typestr"), py::arg("shape"),
             py::arg("strides"), py::arg("device"), py::arg("writeable"))
        .def_readonly("owner", &DeviceArray::owner)
        .def_readonly("pointer", &DeviceArray::pointer)
        .def_readonly("typestr", &DeviceArray::typestr)
        .def_readonly("shape", &DeviceArray::shape)
        .def_readonly("strides", &DeviceArray::strides)
        .def_readonly("device", &DeviceArray::device)
        .def_readonly("writeable", &DeviceArray::writeable);

    m.def("noise", &noise, py::arg("shape"), py::arg("step"), py::kw_only(), py::arg("channels") = 1,
          py::arg("input") = 0, py::arg("origin") = std::vector<std::int64_t>(),
          py::arg("global_shape") = std::vector<std::int64_t>());

    py::class_<Model>(m, "Model")
        .def_static("open", &Model::open, py::arg("path"), py::arg("options"))
        .def_static("open_memory", &Model::open_memory, py::arg("files"), py::arg("options"))
        .def("predict", &Model::predict, py::arg("output"), py::arg("input"), py::arg("step"))
        .def("predict_ensemble", &Model::predict_ensemble, py::arg("mean"), py::arg("spread"), py::arg("input"),
             py::arg("step"))
        .def("predict_members", &Model::predict_members, py::arg("output"), py::arg("input"), py::arg("step"))
        .def("rollout", &Model::rollout, py::arg("output"), py::arg("input"), py::arg("steps"), py::arg("step"))
        .def("begin", &Model::begin, py::arg("output"), py::arg("input"), py::arg("step"))
        .def("test", &Model::test)
        .def("wait", &Model::wait)
        .def("partials", &Model::partials, py::arg("values"))
        .def("finish", &Model::finish, py::arg("totals"))
        .def("info", &Model::info)
        .def("fields", &Model::fields)
        .def("parameters", &Model::parameters)
        .def("statistics", &Model::statistics)
        .def("last_rejection", &Model::last_rejection)
        .def("verify", &Model::verify)
        .def("close", &Model::close)
        .def_property_readonly("closed", &Model::closed);

    py::class_<Recorder>(m, "Recorder")
        .def(py::init(&Recorder::open), py::arg("path"), py::arg("options"))
        .def("write", &Recorder::write, py::arg("time"), py::arg("fields"))
        .def("close", &Recorder::close)
        .def_property_readonly("closed", &Recorder::closed);
}
