// One opened bundle, as Python sees it.
#pragma once

#include "options.hpp"
#include "states.hpp"

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace native {

// Calls release the GIL; closing while another thread predicts takes effect when that call returns.
class Model {
  public:
    static std::unique_ptr<Model> open(const std::string &path, OpenOptions options);
    static std::unique_ptr<Model> open_memory(const std::vector<std::pair<std::string, pybind11::bytes>> &files,
                                              OpenOptions options);
    ~Model();

    // SURROGATE_OK or SURROGATE_REJECTED; errors are thrown.
    // `input`: one part a frame of the model's history, newest first.
    int predict(const Part &output, const std::vector<Part> &input, const StepOptions &step);
    int predict_ensemble(const std::optional<Part> &mean, const std::optional<Part> &spread,
                         const std::vector<Part> &input, const StepOptions &step);
    int predict_members(const Part &output, const std::vector<Part> &input, const StepOptions &step);
    // Status and number of frames completed.
    std::pair<int, std::int64_t> rollout(const Part &output, const std::vector<Part> &input, std::int64_t steps,
                                         const StepOptions &step);
    // The arrays are kept alive until `wait` or `close`.
    void begin(const Part &output, const std::vector<Part> &input, const StepOptions &step);
    bool test();
    int wait();
    // In place of `wait`: the sums of this rank's part, then the end decided by those of all ranks. Their number was
    // checked by the caller.
    void partials(pybind11::array_t<double> values);
    int finish(const pybind11::array_t<double, pybind11::array::c_style | pybind11::array::forcecast> &totals);

    pybind11::dict info() const;
    pybind11::list fields() const;
    pybind11::list parameters() const;
    pybind11::dict statistics() const;
    pybind11::dict last_rejection() const;
    pybind11::dict verify();
    void close();
    bool closed() const { return !handle_; }

  private:
    using Handle = std::shared_ptr<surrogate_model>;

    explicit Model(OpenOptions options) : options_(std::move(options)) {}
    void adopt(surrogate_model *model);
    Handle handle() const;

    OpenOptions options_; // the log callback is used as long as the model lives
    Handle handle_;
    StateForm form_;
    std::optional<std::pair<Part, std::vector<Part>>> borrowed_; // between begin and wait
};

} // namespace native
