#include "guard.h"

#include "error.h"

#include <algorithm>
#include <cmath>

namespace surrogate::core {

template <class T> T inward(double bound, int towards) {
    constexpr T infinity = std::numeric_limits<T>::infinity(), largest = std::numeric_limits<T>::max();
    if (std::isinf(bound))
        return bound > 0 ? infinity : -infinity;
    if (std::abs(bound) > static_cast<double>(largest)) // no T there: the inner neighbour, or nothing at all
        return (bound > 0) == (towards > 0) ? (bound > 0 ? infinity : -infinity) : (bound > 0 ? largest : -largest);
    const T rounded = static_cast<T>(bound);
    const bool outside = towards > 0 ? static_cast<double>(rounded) < bound : static_cast<double>(rounded) > bound;
    return outside ? std::nextafter(rounded, towards > 0 ? infinity : -infinity) : rounded;
}
template float inward(double, int);
template double inward(double, int);

static bool clips(const GuardSpec &guards, Role role) {
    return role == Role::output && guards.policy(Guard::bounds) == Policy::clip;
}

template <class T> Limits<T> limits(const GuardSpec &guards, std::size_t field, Role role) {
    constexpr T infinity = std::numeric_limits<T>::infinity(), largest = std::numeric_limits<T>::max();
    const Bounds bounds = clips(guards, role) ? Bounds() : guards.bounds[field];
    Limits<T> l{inward<T>(bounds.lower, +1), inward<T>(bounds.upper, -1), true};
    if (guards.finite) {
        l.lower = std::max(l.lower, -largest);
        l.upper = std::min(l.upper, largest);
    }
    l.checked = l.lower > -infinity || l.upper < infinity;
    return l;
}
template Limits<float> limits(const GuardSpec &, std::size_t, Role);
template Limits<double> limits(const GuardSpec &, std::size_t, Role);

template <class T> Limits<T> clipping(const GuardSpec &guards, std::size_t field) {
    const Bounds bounds = clips(guards, Role::output) ? guards.bounds[field] : Bounds();
    return {inward<T>(bounds.lower, +1), inward<T>(bounds.upper, -1),
            std::isfinite(bounds.lower) || std::isfinite(bounds.upper)};
}
template Limits<float> clipping(const GuardSpec &, std::size_t);
template Limits<double> clipping(const GuardSpec &, std::size_t);

int judge(double value, const GuardSpec &guards, std::size_t field, Role role) {
    const bool input = role == Role::input;
    if (guards.finite && !std::isfinite(value))
        return input ? SURROGATE_REASON_INPUT_NOT_FINITE : SURROGATE_REASON_OUTPUT_NOT_FINITE;
    const Bounds bounds = clips(guards, role) ? Bounds() : guards.bounds[field];
    const bool bounded = std::isfinite(bounds.lower) || std::isfinite(bounds.upper);
    if (bounded && !(value >= bounds.lower && value <= bounds.upper))
        return input ? SURROGATE_REASON_INPUT_OUT_OF_BOUNDS : SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS;
    return SURROGATE_REASON_NONE;
}

static void append_bounds(std::string &out, const Bounds &bounds) {
    append(out, "; allowed: ");
    if (std::isfinite(bounds.lower)) {
        append(out, "at least ");
        append(out, bounds.lower);
    }
    if (std::isfinite(bounds.upper)) {
        append(out, std::isfinite(bounds.lower) ? " and at most " : "at most ");
        append(out, bounds.upper);
    }
}

/// What a guard found of a field, before the number.
static const char *finding(int reason) {
    switch (reason) {
    case SURROGATE_REASON_INPUT_NOT_FINITE:
    case SURROGATE_REASON_OUTPUT_NOT_FINITE:
        return "is not finite";
    case SURROGATE_REASON_INPUT_OUT_OF_BOUNDS:
    case SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS:
        return "is out of bounds";
    case SURROGATE_REASON_INPUT_OUT_OF_RANGE:
        return "lies outside the trained range in too many cells";
    case SURROGATE_REASON_INPUT_UNLIKE_TRAINING:
        return "has a mean or a standard deviation unlike any in training";
    case SURROGATE_REASON_NOT_CONSERVED:
        return "does not keep its integral";
    case SURROGATE_REASON_JUMP_OUT_OF_RANGE:
        return "changes by another amount than in training";
    default:
        return "differs too much between members";
    }
}

/// What the number of a finding is.
static const char *quantity(int reason) {
    switch (reason) {
    case SURROGATE_REASON_INPUT_OUT_OF_RANGE:
        return "share";
    case SURROGATE_REASON_INPUT_UNLIKE_TRAINING:
        return "distance in standard deviations";
    case SURROGATE_REASON_NOT_CONSERVED:
        return "change over the integral of the magnitude";
    case SURROGATE_REASON_JUMP_OUT_OF_RANGE:
        return "rms over the trained rms";
    case SURROGATE_REASON_SPREAD_TOO_LARGE:
        return "rms over the trained rms of the change";
    default:
        return "value";
    }
}

static bool of_input(int reason) {
    return reason == SURROGATE_REASON_INPUT_NOT_FINITE || reason == SURROGATE_REASON_INPUT_OUT_OF_BOUNDS ||
           reason == SURROGATE_REASON_INPUT_OUT_OF_RANGE || reason == SURROGATE_REASON_INPUT_UNLIKE_TRAINING;
}

static void append_place(std::string &out, const Offence &offence, const Manifest &manifest, std::int64_t batch) {
    if (offence.located) {
        append(out, " at cell [");
        for (int k = 0; k < manifest.grid.rank; ++k) {
            append(out, k ? ", " : "");
            append(out, offence.cell[k]);
        }
        append(out, "]");
    } else if (offence.reason <= SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS)
        append(out, " in a part of the domain that another rank holds");
    if (manifest.fields[static_cast<std::size_t>(offence.field)].components > 1) {
        append(out, " of component ");
        append(out, offence.component);
    }
    if (offence.frame > 0) {
        append(out, " of the frame ");
        append(out, offence.frame);
        append(out, " before the newest");
    }
    if (batch > 1) {
        append(out, " of state ");
        append(out, offence.batch);
    }
}

void describe(std::string &out, const Offence &offence, const Manifest &manifest, std::int64_t batch) {
    out.clear();
    append(out, of_input(offence.reason) ? "rejected: input field '" : "rejected: predicted field '");
    append(out, manifest.fields[static_cast<std::size_t>(offence.field)].name);
    append(out, "' ");
    append(out, finding(offence.reason));
    append_place(out, offence, manifest, batch);
    const bool sums = offence.reason > SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS;
    const bool finite =
        offence.reason == SURROGATE_REASON_INPUT_NOT_FINITE || offence.reason == SURROGATE_REASON_OUTPUT_NOT_FINITE;
    if (offence.located || sums) {
        append(out, " (");
        append(out, quantity(offence.reason));
        append(out, " ");
        append(out, offence.value);
        if (!finite)
            append_bounds(out, offence.bounds);
        append(out, ")");
    }
    append(out, "; the output is untouched, let the solver step this interval itself");
}

} // namespace surrogate::core
