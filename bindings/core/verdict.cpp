#include "verdict.h"

#include <algorithm>
#include <cmath>

namespace surrogate::core {

namespace {

double largest_distance(const ChannelSums &sums, const FieldSpec &field, std::size_t c) {
    const double shift = sums.first / sums.cells, mean = field.mean[c] + shift;
    const double deviation = std::sqrt(std::max(sums.second / sums.cells - shift * shift, 0.0));
    const Reference &m = field.trained_mean[c], &s = field.trained_deviation[c];
    const double of_mean = std::abs(mean - m.mean) / m.deviation;
    const double of_deviation = std::abs(deviation - s.mean) / s.deviation;
    return of_mean >= of_deviation ? of_mean : of_deviation; // NaN goes through
}

Bounds up_to(double upper) {
    return {-std::numeric_limits<double>::infinity(), upper};
}

double drift(const ChannelSums &sums) {
    return sums.change == 0 ? 0.0 : std::abs(sums.change) / sums.absolute;
}

} // namespace

Judge::Judge(const Manifest &manifest, const GuardSpec &guards) : manifest_(manifest), guards_(guards) {
    for (std::size_t f = 0; f < manifest.fields.size(); ++f)
        for (int c = 0; c < manifest.fields[f].components; ++c)
            parts_.push_back({f, c});
}

/// measure(state, channel, field, component): a number, empty where the guard has nothing to look at. The first guard
/// that refuses is the one that is told.
template <class Measure>
void Judge::look(Verdict &verdict, std::int64_t batch, Guard guard, int reason, Bounds allowed, Measure measure) const {
    Offence worst;
    double excess = 0;
    for (std::int64_t b = 0; b < batch; ++b)
        for (std::size_t k = 0; k < parts_.size(); ++k) {
            const Part &part = parts_[k];
            const std::optional<double> value =
                measure(b, k, manifest_.fields[part.field], static_cast<std::size_t>(part.component));
            if (!value || (*value >= allowed.lower && *value <= allowed.upper))
                continue;
            const double beyond = std::isnan(*value) ? std::numeric_limits<double>::infinity()
                                                     : std::max(allowed.lower - *value, *value - allowed.upper);
            if (worst.reason != SURROGATE_REASON_NONE && !(beyond > excess))
                continue;
            excess = beyond;
            worst.reason = reason;
            worst.field = static_cast<int>(part.field);
            worst.component = part.component;
            worst.batch = b;
            worst.value = *value;
            worst.bounds = allowed;
        }
    if (worst.reason == SURROGATE_REASON_NONE)
        return;
    if (guards_.policy(guard) == Policy::keep)
        verdict.kept |= std::uint32_t{1} << reason;
    else if (verdict.refused.reason == SURROGATE_REASON_NONE)
        verdict.refused = worst;
}

void Judge::count(Verdict &verdict, const Tally &totals, Guard guard, int reason, double ChannelSums::*cells) const {
    const Bounds none{-std::numeric_limits<double>::infinity(), 0.0};
    const auto any = [&](std::int64_t b, std::size_t k, const FieldSpec &, std::size_t) {
        return std::optional<double>(totals.at(b, k).*cells == 0 ? 0.0 : 1.0); // the first channel, not the worst
    };
    const int before = verdict.refused.reason;
    look(verdict, totals.batch(), guard, reason, none, any);
    if (before == SURROGATE_REASON_NONE && verdict.refused.reason == reason)
        verdict.refused.bounds =
            guard == Guard::bounds ? guards_.bounds[static_cast<std::size_t>(verdict.refused.field)] : Bounds();
}

Verdict Judge::input(const Tally &totals) const {
    Verdict verdict;
    count(verdict, totals, Guard::finite, SURROGATE_REASON_INPUT_NOT_FINITE, &ChannelSums::input_not_finite);
    count(verdict, totals, Guard::bounds, SURROGATE_REASON_INPUT_OUT_OF_BOUNDS, &ChannelSums::input_out_of_bounds);
    using Number = std::optional<double>;
    if (guards_.range_share)
        look(verdict, totals.batch(), Guard::range, SURROGATE_REASON_INPUT_OUT_OF_RANGE, up_to(*guards_.range_share),
             [&](std::int64_t b, std::size_t k, const FieldSpec &field, std::size_t) {
                 const ChannelSums &sums = totals.at(b, k);
                 return field.trained_range.empty() ? Number() : Number(sums.outside / sums.cells);
             });
    if (guards_.distance)
        look(verdict, totals.batch(), Guard::statistics, SURROGATE_REASON_INPUT_UNLIKE_TRAINING,
             up_to(*guards_.distance), [&](std::int64_t b, std::size_t k, const FieldSpec &field, std::size_t c) {
                 return field.trained_mean.empty() ? Number() : Number(largest_distance(totals.at(b, k), field, c));
             });
    return verdict;
}

Verdict Judge::output(const Tally &totals) const {
    Verdict verdict;
    count(verdict, totals, Guard::finite, SURROGATE_REASON_OUTPUT_NOT_FINITE, &ChannelSums::output_not_finite);
    count(verdict, totals, Guard::bounds, SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS, &ChannelSums::output_out_of_bounds);
    using Number = std::optional<double>;
    if (guards_.tolerance && guards_.policy(Guard::conserved) != Policy::project)
        look(verdict, totals.batch(), Guard::conserved, SURROGATE_REASON_NOT_CONSERVED, up_to(*guards_.tolerance),
             [&](std::int64_t b, std::size_t k, const FieldSpec &field, std::size_t) {
                 return field.conserved && field.predicted() ? Number(drift(totals.at(b, k))) : Number();
             });
    if (guards_.jump)
        look(verdict, totals.batch(), Guard::jump, SURROGATE_REASON_JUMP_OUT_OF_RANGE, *guards_.jump,
             [&](std::int64_t b, std::size_t k, const FieldSpec &field, std::size_t c) {
                 const ChannelSums &sums = totals.at(b, k);
                 return field.predicted() && !field.trained_jump.empty()
                            ? Number(std::sqrt(sums.change_square / sums.cells) / field.trained_jump[c])
                            : Number();
             });
    return verdict;
}

Verdict Judge::spread(const double *spread, std::int64_t batch) const {
    Verdict verdict;
    using Number = std::optional<double>;
    if (guards_.largest_spread)
        look(verdict, batch, Guard::spread, SURROGATE_REASON_SPREAD_TOO_LARGE, up_to(*guards_.largest_spread),
             [&](std::int64_t b, std::size_t k, const FieldSpec &field, std::size_t c) {
                 return field.predicted() && !field.trained_jump.empty()
                            ? Number(spread[static_cast<std::size_t>(b) * parts_.size() + k] / field.trained_jump[c])
                            : Number();
             });
    return verdict;
}

std::int64_t Judge::clipped(const Tally &totals) const {
    double cells = 0;
    for (std::int64_t b = 0; b < totals.batch(); ++b)
        for (std::size_t k = 0; k < parts_.size(); ++k)
            cells += totals.at(b, k).clipped;
    return static_cast<std::int64_t>(cells);
}

std::int64_t Judge::projections(const Tally &totals) const {
    std::int64_t count = 0;
    if (guards_.policy(Guard::conserved) != Policy::project)
        return count;
    for (std::int64_t b = 0; b < totals.batch(); ++b)
        for (std::size_t k = 0; k < parts_.size(); ++k)
            count += manifest_.fields[parts_[k].field].conserved && totals.at(b, k).mean_change() != 0;
    return count;
}

} // namespace surrogate::core
