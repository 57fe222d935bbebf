// Standard normal numbers that belong to a place: the same on any number of ranks, in C++ and in surrogate/noise.py.
//
// Philox4x64-10 (Salmon, Moraes, Dror, Shaw, SC'11), key (seed, step), counter (global cell, channel / 4, member, noise
// input); its four words are the channels 4k .. 4k+3. A word's upper 53 bits k are the uniform (k + 1/2) / 2^53, turned
// into a normal by the inverse distribution function AS241 (Wichura 1988) in double and rounded to float. Nothing but
// + - * / and sqrt, which IEEE 754 defines to the bit, is used.
#pragma once

#include <surrogate/surrogate.h>

#include <cstdint>

namespace surrogate::core {

struct NoiseKey {
    std::uint64_t seed = 0, step = 0;
};

/// Where a block of cells lies in the whole domain; slowest axis first, unused axes 0 and 1.
struct Domain {
    std::int64_t origin[3] = {}, shape[3] = {1, 1, 1};
};

/// The key of a step. Throws ERROR_PARAMETER without one, ERROR_ARGUMENT for a negative member.
NoiseKey read_noise_key(const surrogate_step_options &step);

/// The domain that a step names for a block of `shape` with `rank` axes. Throws ERROR_ARGUMENT.
Domain read_domain(const surrogate_step_options &step, int rank, const std::int64_t *shape);

/// The function of the counter: out = Philox4x64-10(counter, key). numpy.random.Philox(counter=c, key=k) adds one to
/// its counter before it draws: its first four words are those of counter c + 1.
void philox(std::uint64_t (&out)[4], const std::uint64_t (&counter)[4], const std::uint64_t (&key)[2]);

/// The normal number of the upper 53 bits of `word`.
double normal(std::uint64_t word);

/// values (channels, cells of `shape`): the noise of one member and noise input. Cells outside the domain (halos) are
/// those at its other side.
void fill_noise(float *values, NoiseKey key, std::uint64_t member, std::uint64_t input, std::int64_t channels,
                const std::int64_t *shape, const Domain &domain);

} // namespace surrogate::core
