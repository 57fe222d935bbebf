// The end of a call that was begun: with this rank's own sums, or with those of all ranks of the domain.
#include "model.h"

#include "error.h"

#include <cstring>
#include <utility>

namespace surrogate::core {

void Model::require_nothing_begun() const {
    if (begun_ == Begun::halves)
        fail(SURROGATE_ERROR_ARGUMENT,
             "a prediction of this model is under way (surrogate_predict_begin); call surrogate_predict_wait first");
    if (begun_ != Begun::nothing)
        fail(SURROGATE_ERROR_ARGUMENT, "a prediction in parts of this model is under way (surrogate_parts_begin); call "
                                       "surrogate_predict_finish or surrogate_parts_abandon first");
}

void Model::require_halves() const {
    if (begun_ == Begun::nothing)
        fail(SURROGATE_ERROR_ARGUMENT, "no prediction of this model is under way; call surrogate_predict_begin first");
    if (begun_ != Begun::halves)
        fail(SURROGATE_ERROR_ARGUMENT, "the prediction under way is one in parts (surrogate_parts_begin), which "
                                       "surrogate_parts_partials and then surrogate_predict_finish end");
}

/// Wait for the program of the call that is under way. If it failed, the call ends and its error is thrown.
void Model::join() {
    require_halves();
    worker_.wait();
    if (failure_) {
        begun_ = Begun::nothing;
        ++statistics_.errors;
        std::rethrow_exception(std::exchange(failure_, nullptr));
    }
}

void Model::partials(double *partials, std::size_t count) {
    const Lock lock(mutex_);
    join();
    check_partials(partials, count, "partials");
    std::memcpy(partials, call_.tally.data(), count * sizeof(double));
}

int Model::finish(const char *where, const double *totals, std::size_t count) {
    const Lock lock(mutex_);
    if (begun_ != Begun::judged_parts)
        join();
    if (totals) {
        check_partials(totals, count, "totals");
        call_.has_totals = std::memcmp(call_.tally.data(), totals, count * sizeof(double)) != 0;
        std::memcpy(call_.tally.data(), totals, count * sizeof(double));
    }
    return finish_call(where);
}

void Model::check_partials(const double *values, std::size_t count, const char *name) const {
    if (!values)
        fail(SURROGATE_ERROR_ARGUMENT, name, " is NULL, expected ", call_.tally.size(), " doubles");
    if (count != call_.tally.size())
        fail(SURROGATE_ERROR_ARGUMENT, "count ", count, " given, expected ", call_.tally.size(),
             ": surrogate_info.partial_count for each of ", call_.input().batch, " states");
}

/// Decide by the sums of the call, then write or reject.
int Model::finish_call(const char *where) {
    const bool in_parts = begun_ == Begun::judged_parts; // increments depend on cells of other blocks
    begun_ = Begun::nothing;
    try {
        if (accept_input()) {
            if (!call_.program && !call_.in_engine)
                fail(SURROGATE_ERROR_ARGUMENT, "totals accept an input of which this rank refused a value; they must "
                                               "be the sums of surrogate_predict_partials over all ranks");
            accept_frame(call_.tally, call_.input(), call_.program);
        }
        return settle(where, !in_parts);
    } catch (...) {
        ++statistics_.errors;
        throw;
    }
}

} // namespace surrogate::core
