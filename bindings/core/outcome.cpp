// What follows from a verdict: the frame is written or refused, and counters and log say so.
#include "model.h"

#include "error.h"

#include <algorithm>

namespace surrogate::core {

/// Tell the log the first time only. The frame is written by then: want of memory costs the line, not the call.
void Model::note(bool &noted, const char *where, const char *what, int reason) const {
    if (noted)
        return;
    noted = true;
    try {
        log(SURROGATE_LOG_WARNING, text(where, ": ", what, reason ? text(" (", surrogate_reason_name(reason), ")") : "",
                                        "; further cases are counted and not logged"));
    } catch (const std::bad_alloc &) {
    }
}

/// An offence of the call under way, in the public struct.
surrogate_rejection Model::rejection_of(const Offence &offence) const {
    surrogate_rejection rejection{};
    rejection.reason = offence.reason;
    rejection.field = offence.field;
    rejection.component = offence.component;
    rejection.batch = offence.batch;
    std::copy(offence.cell, offence.cell + 3, rejection.cell);
    rejection.value = offence.value;
    rejection.lower = offence.bounds.lower;
    rejection.upper = offence.bounds.upper;
    rejection.call = statistics_.calls;
    return rejection;
}

/// Counts and remembers the rejection last: until then memory may run out, which makes the call an error.
int Model::reject(const char *where) {
    const Offence &offence = call_.offence;
    describe(rejection_text_, offence, manifest_, call_.states);
    bool &warned = warned_[offence.reason];
    if (!warned)
        log(SURROGATE_LOG_WARNING,
            text(where, ": ", rejection_text_, " (further rejections of this kind are not logged)"));
    warned = true;
    set_last_error(where, rejection_text_);
    ++statistics_.rejected;
    ++statistics_.rejected_by[offence.reason];
    rejection_ = rejection_of(offence);
    return SURROGATE_REJECTED;
}

/// The frame is written: count it, and what the policies let pass or changed.
void Model::accept(const char *where, const Tally &tally) {
    ++statistics_.ok;
    for (int reason = 0; call_.kept >> reason; ++reason)
        if (call_.kept >> reason & 1) {
            ++statistics_.kept_by[reason];
            note(kept_noted_[reason], where, "a guard was broken and let pass, as its policy is 'keep'", reason);
        }
    const std::int64_t clipped = judge_.clipped(tally), projections = judge_.projections(tally);
    statistics_.clipped_cells += clipped;
    statistics_.projections += projections;
    if (clipped)
        note(clip_noted_, where, "values of the frame were put on their bounds, as the policy of 'bounds' is 'clip'");
    if (projections)
        note(projection_noted_, where, "an integral was restored, as the policy of 'conserved' is 'project'");
}

} // namespace surrogate::core
