// An opened bundle: everything behind a surrogate_model handle.
#pragma once

#include "call.h"
#include "example.h"
#include "output.h"
#include "pack.h"
#include "program.h"
#include "program_inputs.h"
#include "worker.h"

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

    /// The same in two halves, the program on a thread of the library's in between.
    void begin(const surrogate_field *output, const surrogate_field *input, std::size_t count,
               const surrogate_step_options &step);
    bool done();
    int wait(const char *where);

    surrogate_verification verify();
    surrogate_rejection last_rejection();
    surrogate_statistics statistics();
    surrogate_info info() const;
    surrogate_field_info field_info(int index) const;
    surrogate_parameter_info parameter_info(int index) const;

  private:
    using Lock = std::unique_lock<std::mutex>;
    Lock claim(); ///< throws while a prediction is under way
    template <class Body> auto counted(Body &&body);

    // The stages of every prediction. `prepare` and `settle` run on the caller's thread, the others may run on another.
    void prepare(const surrogate_field *output, const surrogate_field *input, std::size_t count,
                 const surrogate_step_options &step);
    void compute();
    int settle(const char *where);

    const float *pack();
    const float *run_program(const float *packed, const State &state, std::int64_t member);
    bool judge(const State &input, const float *program);
    void write();
    void keep_apart(std::int64_t size);

    void read_frames(const surrogate_field *input, std::size_t count);
    int predict_locked(const char *where, const surrogate_field *output, const surrogate_field *input,
                       std::size_t count, const surrogate_step_options &step);
    void describe_array(void *output, const void *input, int dtype, int rank, const std::int64_t *shape);
    int reject(const char *where);

    void warm_up();
    surrogate_verification replay();
    const float *run_checked(const std::vector<surrogate_tensor> &inputs, void *stream);
    void log(int level, const std::string &text) const;

    std::mutex mutex_;
    Bundle bundle_;
    const Manifest &manifest_;
    const GuardSpec guards_;
    Program program_;
    const InputPass input_pass_;
    const OutputPass output_pass_;
    const surrogate_log_function log_;
    void *const log_user_;
    const int threads_;

    Call call_;
    ProgramInputs inputs_;
    std::vector<surrogate_field> array_output_, array_input_;
    Buffer packed_, staged_;
    Example example_;
    surrogate_statistics statistics_{};
    surrogate_rejection rejection_{};
    std::string rejection_text_;
    bool warned_[16] = {}; // by reason

    bool under_way_ = false; // between `begin` and `wait`
    std::exception_ptr failure_;
    Worker worker_; // last, so that it is joined before anything that its job uses goes
};

} // namespace surrogate::core
