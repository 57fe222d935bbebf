// Guards as data: what a manifest, or options.guards, asks for.
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <vector>

namespace surrogate::core {

struct Bounds {
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
};

enum class Guard { finite, bounds, range, statistics, conserved, jump, spread };
constexpr std::array<const char *, 7> GUARD_NAMES = {"finite",    "bounds", "range", "statistics",
                                                     "conserved", "jump",   "spread"};

/// What is done when a guard is broken. clip: of bounds only; project: of conserved only.
enum class Policy { reject, clip, keep, project };

struct GuardSpec {
    bool finite = true;
    std::vector<Bounds> bounds;           // one a field
    std::optional<double> range_share;    // largest share of cells outside the trained range
    std::optional<double> distance;       // largest |z| of mean and standard deviation of the input
    std::optional<double> tolerance;      // largest |change of an integral| over the integral of |u|
    std::optional<Bounds> jump;           // rms of the increment over the trained one
    std::optional<double> largest_spread; // rms of the standard deviation over members, over the trained jump
    std::array<Policy, GUARD_NAMES.size()> policies{};

    Policy policy(Guard guard) const { return policies[static_cast<std::size_t>(guard)]; }
};

} // namespace surrogate::core
