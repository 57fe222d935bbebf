// An opened bundle: everything behind a surrogate_model handle.
#pragma once

#include "output.h"
#include "pack.h"
#include "program.h"
#include "safetensors.h"

#include <mutex>

namespace surrogate::core {

struct Options {
    Request request;
    std::string guards;
    bool has_guards = false;
    bool verify_example = false;
    surrogate_log_function log = nullptr;
    void *log_user = nullptr;
};

class Model {
  public:
    Model(Bundle bundle, const Options &options);
    Model(const Model &) = delete;
    Model &operator=(const Model &) = delete;

    /// Status OK or REJECTED; anything else is thrown. `where`: the public function, for messages.
    int predict(const char *where, const surrogate_field *output, const surrogate_field *input, std::size_t count,
                const surrogate_step_options &step);
    int predict_array(const char *where, void *output, const void *input, int dtype, int rank,
                      const std::int64_t *shape, const surrogate_step_options &step);

    surrogate_verification verify();
    surrogate_rejection last_rejection();
    surrogate_statistics statistics();
    surrogate_info info() const;
    surrogate_field_info field_info(int index) const;
    surrogate_parameter_info parameter_info(int index) const;

  private:
    int predict_locked(const char *where, const surrogate_field *output, const surrogate_field *input,
                       std::size_t count, const surrogate_step_options &step);
    int run(const char *where, const surrogate_step_options &step);
    const float *run_program(const float *data, const surrogate_step_options &step);
    const float *parameters(const surrogate_step_options &step, std::int64_t batch);
    int reject(const char *where, const Offence &offence);
    void accept(const char *where, std::uint32_t kept);
    void note(bool &noted, const char *where, const char *what, int reason = SURROGATE_REASON_NONE) const;

    void read_example();
    void warm_up();
    surrogate_verification replay();
    const float *run_checked(const surrogate_tensor *inputs, int count, void *stream);
    void log(int level, const std::string &text) const;

    std::mutex mutex_;
    Bundle bundle_;
    const Manifest &manifest_;
    const GuardSpec guards_;
    Program program_;
    const InputPass input_pass_;
    const OutputPass output_pass_;
    const Judge judge_;
    const surrogate_log_function log_;
    void *const log_user_;
    const int threads_;

    State input_, output_;
    std::vector<surrogate_field> array_output_, array_input_;
    Buffer packed_, parameter_values_, staged_;
    Tally tally_;
    Tensor example_, expected_, example_parameters_;
    surrogate_statistics statistics_{};
    surrogate_rejection rejection_{};
    std::string rejection_text_;
    bool warned_[16] = {}, kept_noted_[16] = {}, clip_noted_ = false, projection_noted_ = false;
};

} // namespace surrogate::core
