// One opened bundle, as Python sees it.
#pragma once

#include "arrays.hpp"

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
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
    std::int64_t members = 1;
    std::uintptr_t stream = 0; // cudaStream_t
};

// One array of a state: name, unit or None, array or None (an output that is not wanted), component axis, batch axis.
using Entry = std::tuple<std::string, std::optional<std::string>, std::optional<Array>, std::int32_t, std::int32_t>;

// One frame of a state: a tuple (array, channel axis, batch axis) that holds all channels, or a list of entries.
using Part = std::variant<std::tuple<Array, std::int32_t, std::int32_t>, std::vector<Entry>>;

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
    std::vector<surrogate_field> outputs(const Part &part) const;
    std::vector<surrogate_field> inputs(const std::vector<Part> &frames) const;

    OpenOptions options_; // the log callback is used as long as the model lives
    Handle handle_;
    std::vector<Channels> channels_;
    std::size_t frames_ = 1;                                     // of the history that the program reads
    std::optional<std::pair<Part, std::vector<Part>>> borrowed_; // between begin and wait
};

} // namespace native
