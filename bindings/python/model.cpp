#include "model.hpp"

#include "calling.hpp"
#include "facts.hpp"

#include <pybind11/stl.h>

namespace py = pybind11;

namespace native {

std::unique_ptr<Model> Model::open(const std::string &path, OpenOptions options) {
    std::unique_ptr<Model> self(new Model(std::move(options)));
    const surrogate_open_options c = self->options_.c();
    surrogate_model *model = nullptr;
    {
        py::gil_scoped_release released;
        check(surrogate_open(&model, path.c_str(), &c));
    }
    self->adopt(model);
    return self;
}

std::unique_ptr<Model> Model::open_memory(const std::vector<std::pair<std::string, py::bytes>> &files,
                                          OpenOptions options) {
    std::unique_ptr<Model> self(new Model(std::move(options)));
    const surrogate_open_options c = self->options_.c();
    std::vector<surrogate_file> list;
    for (const auto &[name, content] : files) {
        char *data = nullptr;
        py::ssize_t size = 0;
        if (PyBytes_AsStringAndSize(content.ptr(), &data, &size) != 0)
            throw py::error_already_set();
        list.push_back({name.c_str(), data, static_cast<std::size_t>(size)});
    }
    surrogate_model *model = nullptr;
    {
        py::gil_scoped_release released;
        check(surrogate_open_memory(&model, list.data(), list.size(), &c));
    }
    self->adopt(model);
    return self;
}

void Model::adopt(surrogate_model *model) {
    handle_ = Handle(model, surrogate_close);
    form_ = StateForm(model);
}

Model::~Model() {
    close();
}

void Model::close() {
    Handle last;
    last.swap(handle_);
    {
        py::gil_scoped_release released;
        last.reset(); // waits for a prediction under way
    }
    borrowed_.reset();
}

Model::Handle Model::handle() const {
    if (!handle_)
        throw Failure(SURROGATE_ERROR_ARGUMENT, "this model is closed; open the bundle again");
    return handle_;
}

int Model::predict(const Part &output, const std::vector<Part> &input, const StepOptions &step) {
    const Handle model = handle();
    const auto reads = form_.inputs(input), writes = form_.outputs(output);
    const surrogate_step_options options = step.c();
    return called([&] { return surrogate_predict(model.get(), writes.data(), reads.data(), writes.size(), &options); });
}

int Model::predict_ensemble(const std::optional<Part> &mean, const std::optional<Part> &spread,
                            const std::vector<Part> &input, const StepOptions &step) {
    const Handle model = handle();
    const auto reads = form_.inputs(input);
    const auto means = mean ? form_.outputs(*mean) : std::vector<surrogate_field>();
    const auto spreads = spread ? form_.outputs(*spread) : std::vector<surrogate_field>();
    const surrogate_step_options options = step.c();
    return called([&] {
        return surrogate_predict_ensemble(model.get(), mean ? means.data() : nullptr, spread ? spreads.data() : nullptr,
                                          reads.data(), form_.channels().size(), &options);
    });
}

int Model::predict_members(const Part &output, const std::vector<Part> &input, const StepOptions &step) {
    const Handle model = handle();
    const auto reads = form_.inputs(input), writes = form_.outputs(output);
    const surrogate_step_options options = step.c();
    return called(
        [&] { return surrogate_predict_members(model.get(), writes.data(), reads.data(), writes.size(), &options); });
}

std::pair<int, std::int64_t> Model::rollout(const Part &output, const std::vector<Part> &input, std::int64_t steps,
                                            const StepOptions &step) {
    const Handle model = handle();
    const auto reads = form_.inputs(input), writes = form_.outputs(output);
    const surrogate_step_options options = step.c();
    std::int64_t completed = 0;
    const int status = called([&] {
        return surrogate_rollout(model.get(), &completed, writes.data(), reads.data(), writes.size(), steps, &options);
    });
    return {status, completed};
}

void Model::begin(const Part &output, const std::vector<Part> &input, const StepOptions &step) {
    const Handle model = handle();
    const auto reads = form_.inputs(input), writes = form_.outputs(output);
    const surrogate_step_options options = step.c();
    called([&] { return surrogate_predict_begin(model.get(), writes.data(), reads.data(), writes.size(), &options); });
    borrowed_.emplace(output, input);
}

bool Model::test() {
    const Handle model = handle();
    int done = 0;
    called([&] { return surrogate_predict_test(model.get(), &done); });
    return done != 0;
}

int Model::wait() {
    const Handle model = handle();
    const auto held = std::move(borrowed_); // let go of whatever comes
    borrowed_.reset();
    return called([&] { return surrogate_predict_wait(model.get()); });
}

void Model::partials(py::array_t<double> values) {
    const Handle model = handle();
    double *const data = values.mutable_data();
    const auto count = static_cast<std::size_t>(values.size());
    called([&] { return surrogate_predict_partials(model.get(), data, count); });
}

int Model::finish(const py::array_t<double, py::array::c_style | py::array::forcecast> &totals) {
    const Handle model = handle();
    const auto held = std::move(borrowed_); // let go of whatever comes
    borrowed_.reset();
    const double *const data = totals.data();
    const auto count = static_cast<std::size_t>(totals.size());
    return called([&] { return surrogate_predict_finish(model.get(), data, count); });
}

py::dict Model::info() const {
    return info_facts(handle().get());
}

py::list Model::fields() const {
    return field_facts(handle().get());
}

py::list Model::parameters() const {
    return parameter_facts(handle().get());
}

py::dict Model::statistics() const {
    return statistics_facts(handle().get());
}

py::dict Model::last_rejection() const {
    const Handle model = handle();
    auto rejection = sized<surrogate_rejection>();
    check(surrogate_last_rejection(model.get(), &rejection));
    py::dict facts = rejection_facts(model.get(), form_, rejection);
    facts["batch"] = rejection.batch;
    facts["call"] = rejection.call;
    return facts;
}

py::dict Model::verify() {
    const Handle model = handle();
    auto result = sized<surrogate_verification>();
    {
        py::gil_scoped_release released;
        check(surrogate_verify(model.get(), &result));
    }
    using namespace py::literals;
    return py::dict("passed"_a = result.passed != 0, "largest_difference"_a = result.largest_difference,
                    "tolerance"_a = result.tolerance);
}

} // namespace native
