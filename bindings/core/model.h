// An opened bundle: everything behind a surrogate_model handle.
#pragma once

#include "call.h"
#include "engine_pass.h"
#include "ensemble.h"
#include "example.h"
#include "output.h"
#include "pack.h"
#include "program_inputs.h"
#include "record_calls.h"
#include "stopwatch.h"
#include "variants.h"
#include "verdict.h"
#include "worker.h"

#include <mutex>

namespace surrogate::core {

struct Options {
    Request request;
    std::optional<GuardOverrides> guards;
    bool verify_example = false, preload = false;
    surrogate_log_function log = nullptr;
    void *log_user = nullptr;
    std::string record_calls; // path; "": none
};

class Model {
  public:
    Model(Bundle bundle, const Options &options);
    Model(const Model &) = delete;
    Model &operator=(const Model &) = delete;
    ~Model();

    /// Status OK or REJECTED; anything else is thrown. `where`: the public function, for messages.
    int predict(const char *where, const surrogate_field *output, const surrogate_field *input, std::size_t count,
                const surrogate_step_options &step);
    int predict_array(const char *where, void *output, const void *input, int dtype, int rank,
                      const std::int64_t *shape, const surrogate_step_options &step);

    /// Members of a stochastic model: mean and standard deviation (either may be NULL), or all of them.
    int predict_ensemble(const char *where, const surrogate_field *mean, const surrogate_field *spread,
                         const surrogate_field *input, std::size_t count, const surrogate_step_options &step);
    int predict_members(const char *where, const surrogate_field *output, const surrogate_field *input,
                        std::size_t count, const surrogate_step_options &step);

    /// Up to `steps` frames; *completed (may be NULL): how many were.
    int rollout(const char *where, std::int64_t *completed, const surrogate_field *output, const surrogate_field *input,
                std::size_t count, std::int64_t steps, const surrogate_step_options &step);

    /// One prediction in two halves, the program on a thread of the library's in between.
    void begin(const surrogate_field *output, const surrogate_field *input, std::size_t count,
               const surrogate_step_options &step);
    bool done();
    int wait(const char *where);
    /// This rank's sums after `begin`, and the end of the call with those of all ranks (NULL: its own).
    void partials(double *partials, std::size_t count);
    int finish(const char *where, const double *totals, std::size_t count);

    /// One prediction in parts: pack this rank's block, judge the increments that came back for it; `finish` ends it.
    void begin_parts(float *packed, const surrogate_field *output, const surrogate_field *input, std::size_t count,
                     const surrogate_step_options &step);
    /// What the value guards find in this block alone; reason NONE: nothing.
    surrogate_rejection judge_parts(const float *increments, double *partials, std::size_t count);
    void abandon_parts();
    /// The program's output for `batch` tiles of `shape`, valid until it runs again.
    const float *run_tiles(const float *tiles, std::int64_t batch, const std::int64_t *shape,
                           const std::int64_t *origins, const surrogate_step_options &step);

    surrogate_verification verify();
    surrogate_rejection last_rejection();
    surrogate_statistics statistics();
    surrogate_info info() const;
    surrogate_field_info field_info(int index) const;
    surrogate_parameter_info parameter_info(int index) const;
    void log(int level, const std::string &text) const;
    /// Tell the host that a call could not be recorded, then `more`; nothing else fails for it.
    void warn_of_record(const std::exception &error, const char *more) const noexcept;

  private:
    using Lock = std::unique_lock<std::mutex>;
    Lock claim(); ///< throws while a prediction is under way

    /// What the host has begun and not yet ended: a prediction in two halves, or in parts (whose increments came back).
    enum class Begun { nothing, halves, parts, judged_parts };
    /// What the fields of a call hold: all that the program is to read, or a block whose tiles others may run.
    enum class Region { domain, block };

    /// Run `body` as one call of the statistics.
    template <class Body> auto counted(Body &&body) {
        ++statistics_.calls;
        try {
            return body();
        } catch (...) {
            ++statistics_.errors;
            throw;
        }
    }
    /// Run `body`, which is a call of the statistics only if it fails.
    template <class Body> auto refused(Body &&body) {
        try {
            return body();
        } catch (...) {
            ++statistics_.calls;
            ++statistics_.errors;
            throw;
        }
    }

    // The stages of every prediction. `prepare` and `settle` run on the caller's thread, the others may run on another.
    void prepare(const surrogate_field *output, const surrogate_field *input, std::size_t count,
                 const surrogate_step_options &step, Region region = Region::domain);
    void compute();
    void compute_only();
    void compute_in_engine();
    bool runs_in_engine() const;
    int settle(const char *where, bool recorded = true);
    void require_nothing_begun() const;
    void require_halves() const;
    void join();
    void check_partials(const double *values, std::size_t count, const char *name) const;
    int finish_call(const char *where);

    const float *pack();
    void begin_tally();
    Offence own_offence(const float *increments) const;
    void check_tiles(const std::int64_t *shape, std::int64_t (&cells)[3], std::int64_t batch,
                     const std::int64_t *origins) const;
    const float *owned(const float *increments, std::int64_t size, const float *tiles, std::int64_t read);
    bool accept_input();
    bool take(const Verdict &verdict);
    const float *run_program(const float *packed, const State &state, std::int64_t member);
    void look(Tally &tally, const State &input, const float *program);
    bool accept_frame(const Tally &totals, const State &input, const float *program);
    void write();
    void keep_apart(std::int64_t size);

    void select_program(const surrogate_step_options &step);
    void read_frames(const surrogate_field *input, std::size_t count, Region region = Region::domain);
    void check_output(const State &output, std::int64_t times) const;
    int predict_locked(const char *where, const surrogate_field *output, const surrogate_field *input,
                       std::size_t count, const surrogate_step_options &step);
    void describe_array(void *output, const void *input, int dtype, int rank, const std::int64_t *shape);
    int reject(const char *where);
    surrogate_rejection rejection_of(const Offence &offence) const;
    void accept(const char *where, const Tally &tally);
    void note(bool &noted, const char *where, const char *what, int reason = SURROGATE_REASON_NONE) const;

    void require_host(const char *what) const;
    void check_members(const surrogate_step_options &step, std::int64_t least) const;
    int run_ensemble(const char *where, const surrogate_step_options &step);
    void compute_ensemble();
    bool compute_members(const float *tiled, std::int64_t b, std::int64_t m, std::int64_t frame);
    void judge_spread();
    void sum_members(std::int64_t b, std::int64_t count, const float *program);
    void write_ensemble();

    bool prepare_rollout(const surrogate_field *output, const surrogate_field *input, std::size_t count,
                         std::int64_t steps, const surrogate_step_options &step);
    int roll(const char *where, bool every, std::int64_t k, const surrogate_step_options &step);
    void place_frame(State &state, std::int64_t slot);
    static void copy_frame(const State &to, const State &from);

    void warm_up(Variant &variant);
    void preload(bool warm);
    surrogate_verification replay();
    const float *run_checked(const std::vector<surrogate_tensor> &inputs, void *stream);
    void record_input(); // before the output is written
    void record_output();

    std::mutex mutex_;
    Bundle bundle_;
    const Manifest &manifest_;
    const GuardSpec guards_;
    const std::string sampler_; // for people
    Variants variants_;
    Program *program_; // of the call: one of variants_
    const InputPass input_pass_;
    const OutputPass output_pass_;
    EnginePass engine_pass_;
    const Judge judge_;
    const surrogate_log_function log_;
    void *const log_user_;
    const int threads_;

    Call call_;
    Ensemble ensemble_;
    State rolled_;   // all frames that a rollout writes
    Buffer history_; // frames of a rollout that the caller does not want
    ProgramInputs inputs_;
    std::vector<surrogate_field> array_output_, array_input_;
    Buffer packed_, staged_;
    Example example_;
    surrogate_statistics statistics_{};
    surrogate_rejection rejection_{};
    std::string rejection_text_;
    bool warned_[16] = {}, kept_noted_[16] = {}; // by reason
    bool clip_noted_ = false, projection_noted_ = false;
    std::unique_ptr<CallRecord> calls_; // none without record_calls

    Begun begun_ = Begun::nothing;
    std::exception_ptr failure_;
    Worker worker_; // last, so that it is joined before anything that its job uses goes
};

} // namespace surrogate::core
