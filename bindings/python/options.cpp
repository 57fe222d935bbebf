#include "options.hpp"

namespace py = pybind11;

namespace native {
namespace {

// Called by the library while the GIL is released. Nothing that Python raises may pass through C.
void forward_log(void *user, int level, const char *text) {
    py::gil_scoped_acquire acquired;
    try {
        (*static_cast<py::object *>(user))(level, text);
    } catch (py::error_already_set &error) {
        error.discard_as_unraisable("surrogate log callback");
    }
}

} // namespace

surrogate_open_options OpenOptions::c() {
    surrogate_open_options options;
    surrogate_open_options_init(&options, sizeof options);
    options.engine = text_or_null(engine);
    options.program = text_or_null(program);
    options.device = text_or_null(device);
    options.precision = text_or_null(precision);
    options.threads = threads;
    options.verify = verify;
    options.preload = preload;
    options.guards = text_or_null(guards);
    options.engine_path = text_or_null(engine_path);
    options.engine_options = text_or_null(engine_options);
    options.overlay = text_or_null(overlay);
    options.record_calls = text_or_null(record_calls);
    if (!log.is_none()) {
        options.log = forward_log;
        options.log_user = &log;
    }
    return options;
}

surrogate_step_options StepOptions::c() const {
    surrogate_step_options options;
    surrogate_step_options_init(&options, sizeof options);
    options.step = step;
    options.time = time;
    options.seed = seed;
    options.member = member;
    options.members = members;
    options.stream = reinterpret_cast<void *>(stream);
    options.steps = steps;
    options.guidance = guidance;
    options.caption = text_or_null(caption);
    if (parameters) {
        options.parameters = parameters->data();
        options.parameter_count = parameters->size();
    }
    return options;
}

} // namespace native
