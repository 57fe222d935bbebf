// How a bundle is to be opened: the options of surrogate_open, kept, sent to other ranks, and compared with theirs.
#pragma once

#include "failure.h"

#include <surrogate/surrogate.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace surrogate::mpi {

class Wish {
  public:
    /// What is the reader's on all ranks.
    enum Shared { PATH, ENGINE, PROGRAM, DEVICE, PRECISION, GUARDS, ENGINE_PATH, OVERLAY, THREADS, VERIFY, SHARED };

    /// Of this rank's arguments; ERROR_ARGUMENT if struct_size is of no known version.
    Wish(const char *path, const surrogate_open_options *open);
    Wish(const Wish &) = delete;
    Wish &operator=(const Wish &) = delete;

    /// Those of `reader`, who packed them, with this rank's own log and engine options. ERROR_ARGUMENT if this rank
    /// gave others.
    void take_over(const std::vector<char> &packed, int reader);
    /// What the other ranks need; guards that stand in a file are read.
    std::vector<char> packed() const;

    const std::optional<std::string> &operator[](Shared which) const { return shared_[which]; }
    std::string device() const { return shared_[DEVICE].value_or("cpu"); }
    bool wants_gpu() const { return device().compare(0, 4, "cuda") == 0; }
    int threads() const;
    bool records_calls() const { return options_.record_calls && *options_.record_calls; }

    /// As surrogate_open_options; the strings live as long as this.
    surrogate_open_options options() const;
    void log(int level, const std::string &text) const;

  private:
    std::array<std::optional<std::string>, SHARED> shared_;
    bool has_options_; // given by this rank
    surrogate_open_options options_;
    std::string engine_options_, record_calls_;
};

} // namespace surrogate::mpi
