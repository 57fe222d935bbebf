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

template <class T> Limits<T> limits(const GuardSpec &guards, std::size_t field) {
    constexpr T infinity = std::numeric_limits<T>::infinity(), largest = std::numeric_limits<T>::max();
    const Bounds &bounds = guards.bounds[field];
    Limits<T> l{inward<T>(bounds.lower, +1), inward<T>(bounds.upper, -1), true};
    if (guards.finite) {
        l.lower = std::max(l.lower, -largest);
        l.upper = std::min(l.upper, largest);
    }
    l.checked = l.lower > -infinity || l.upper < infinity;
    return l;
}
template Limits<float> limits(const GuardSpec &, std::size_t);
template Limits<double> limits(const GuardSpec &, std::size_t);

int judge(double value, const GuardSpec &guards, std::size_t field, Role role) {
    const bool input = role == Role::input;
    if (guards.finite && !std::isfinite(value))
        return input ? SURROGATE_REASON_INPUT_NOT_FINITE : SURROGATE_REASON_OUTPUT_NOT_FINITE;
    const Bounds &bounds = guards.bounds[field];
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

void describe(std::string &out, const Offence &offence, const Manifest &manifest, std::int64_t batch) {
    const FieldSpec &field = manifest.fields[static_cast<std::size_t>(offence.field)];
    const bool input =
        offence.reason == SURROGATE_REASON_INPUT_NOT_FINITE || offence.reason == SURROGATE_REASON_INPUT_OUT_OF_BOUNDS;
    const bool finite =
        offence.reason == SURROGATE_REASON_INPUT_NOT_FINITE || offence.reason == SURROGATE_REASON_OUTPUT_NOT_FINITE;
    out.clear();
    if (offence.reason == SURROGATE_REASON_SPREAD_TOO_LARGE) {
        append(out, "rejected: the members differ in field '");
        append(out, field.name);
        append(out, "' by ");
        append(out, offence.value);
        append(out, " of a trained increment (rms)");
        append_bounds(out, offence.bounds);
        append(out, "; the output is untouched, let the solver step this interval itself");
        return;
    }
    append(out, input ? "rejected: input field '" : "rejected: predicted field '");
    append(out, field.name);
    append(out, finite ? "' is not finite at cell [" : "' is out of bounds at cell [");
    for (int k = 0; k < manifest.grid.rank; ++k) {
        append(out, k ? ", " : "");
        append(out, offence.cell[k]);
    }
    append(out, "]");
    if (field.components > 1) {
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
    append(out, " (value ");
    append(out, offence.value);
    if (!finite)
        append_bounds(out, offence.bounds);
    append(out, "); the output is untouched, let the solver step this interval itself");
}

} // namespace surrogate::core
