// One opened bundle, as Python sees it.
#pragma once

#include "arrays.hpp"

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace native {

struct OpenOptions {
    std::optional<std::string> engine, program, device, precision, guards, engine_path, engine_options, overlay,
        record_calls;
    int threads = 0;
    int verify = SURROGATE_VERIFY_HASHES;
    pybind11::object log; // callable (level: int, text: str), or None
};

struct StepOptions {
    std::int64_t step = -1;
    double time; // NaN: not given
    std::uint64_t seed = 0;
    std::int64_t member = 0;
    std::optional<std::vector<double>> parameters;
};

// One array of a state: name, unit or None, array or None (an output that is not wanted), component axis, batch axis.
using Entry =
    std::tuple<std::string, std::optional<std::string>, std::optional<pybind11::array>, std::int32_t, std::int32_t>;

// Calls release the GIL; closing while another thread predicts takes effect when that call returns.
class Model {
  public:
    static std::unique_ptr<Model> open(const std::string &path, OpenOptions options);
    static std::unique_ptr<Model> open_memory(const std::vector<std::pair<std::string, pybind11::bytes>> &files,
                                              OpenOptions options);
    ~Model();

    // SURROGATE_OK or SURROGATE_REJECTED; errors are thrown.
    int predict(const std::vector<Entry> &output, const std::vector<Entry> &input, const StepOptions &step);
    int predict_array(const pybind11::array &output, const pybind11::array &input, std::int32_t channel_axis,
                      std::int32_t batch_axis, const StepOptions &step);

    pybind11::dict info();
    pybind11::list fields();
    pybind11::list parameters();
    pybind11::dict statistics();
    pybind11::dict last_rejection();
    pybind11::dict verify();
    void close();
    bool closed() const { return !handle_; }

  private:
    using Handle = std::shared_ptr<surrogate_model>;

    explicit Model(OpenOptions options) : options_(std::move(options)) {}
    surrogate_open_options c_options();
    void adopt(surrogate_model *model);
    Handle handle() const;
    int run(const Handle &model, const std::vector<surrogate_field> &output, const std::vector<surrogate_field> &input,
            const StepOptions &step);

    OpenOptions options_; // the log callback is used as long as the model lives
    Handle handle_;
    std::vector<Channels> channels_;
};

} // namespace native
