// surrogate_mpi_predict: from the arguments of all ranks to one outcome.
#pragma once

#include "arguments.h"
#include "workload.h"

namespace surrogate::mpi {

struct Model;

/// The predictions of one rank of one model; made when it is opened.
class Prediction {
  public:
    explicit Prediction(Model &model);
    /// Collective: agree once as predictions do, so that they find the memory for it.
    void rehearse();

    /// The whole call. Returns OK or REJECTED, the same on all ranks; throws the failure that all agreed upon.
    int predict(const char *where, const Arguments &given);
    /// The same of one dense array.
    int predict_array(const char *where, void *output, const void *input, int dtype, int rank,
                      const std::int64_t *shape, const surrogate_step_options *step);

    /// How the last call went: mode, choice, tiles, bytes, seconds.
    void fill(surrogate_mpi_report &report) const;

  private:
    bool alone() const;
    template <class Call>
    int predict_alone(const char *where, const surrogate_step_options *step, const Index &shape, Call call);
    int predict_together(const char *where, const Arguments &given, const Failure *refused);

    void check_in(const Arguments &given, const Failure *refused);
    void begin(const Arguments &given);
    void decompose();
    Opinion compute();
    void judge(Opinion &mine);
    Opinion agree_on(const char *stage, const Opinion &mine, double *sums, std::size_t count);
    int finish(const char *where, const surrogate_mpi_rejection &offence);
    void explain(const char *where, const surrogate_mpi_rejection &offence);

    Model &model_;
    const Channels channels_;
    Reading reading_;
    ArrayFields array_;
    std::vector<float> packed_;
    std::vector<double> sums_;
    Account account_;
    Index alone_shape_{}; // of the block that one rank predicted as a serial program does
    int mode_;
    std::string sentence_;               // why that mode
    Grid grid_;                          // of `workload_`
    std::unique_ptr<Workload> workload_; // of the last decomposition; NULL: none yet, or it was refused
};

} // namespace surrogate::mpi
