"""Standard normal numbers that belong to a place: the numpy twin of libsurrogate's noise, equal to the bit.

Philox4x64-10 (Salmon, Moraes, Dror, Shaw, SC'11), key (seed, step), counter (global cell, channel // 4, member, noise
input); its four words are the channels 4k … 4k+3. A word's upper 53 bits k are the uniform (k + 1/2) / 2^53, turned
into a normal by the inverse distribution function AS241 (Wichura 1988) in double and rounded to float32. Only + - * /
and sqrt are used, which IEEE 754 defines to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from surrogate.errors import ArgumentError, ParameterError

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Words = NDArray[np.uint64]

_MULTIPLIERS = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_WEYL = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
_MASK = (1 << 64) - 1
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)

# AS241, PPND16, from the highest power down: for |u - 1/2| <= 0.425, for sqrt(-log p) up to 5, and beyond.
# fmt: off
_A = (2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4, 4.5921953931549871457e+4,
      1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2, 3.3871328727963666080e+0)
_B = (5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
      5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1.0)
_C = (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e+0,
      3.64784832476320460504e+0, 5.76949722146069140550e+0, 4.63033784615654529590e+0, 1.42343711074968357734e+0)
_D = (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
      6.89767334985100004550e-1, 1.67638483018380384940e+0, 2.05319162663775882187e+0, 1.0)
_E = (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
      2.96560571828504891230e-1, 1.78482653991729133580e+0, 5.46378491116411436990e+0, 6.65790464350110377720e+0)
_F = (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
      1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0)
# fmt: on
_ARTANH = tuple(1.0 / power for power in range(21, 0, -2))
_LOG2_HIGH, _LOG2_LOW = (
    float.fromhex("0x1.62e42fee00000p-1"),
    float.fromhex("0x1.a39ef35793c76p-33"),
)
_SQRT_HALF, _ONE = np.uint64(0x3FE6A09E667F3BCD), np.uint64(0x3FF0000000000000)
_MANTISSA = np.uint64(0x000FFFFFFFFFFFFF)


def noise(
    shape: Sequence[int],
    *,
    step: int,
    channels: int = 1,
    seed: int = 0,
    member: int = 0,
    noise_input: int = 0,
    origin: Sequence[int] | None = None,
    global_shape: Sequence[int] | None = None,
) -> Float32:
    """Draw what a stochastic model draws (``surrogate_noise`` in C).

    Parameters
    ----------
    shape : sequence of int
        The block of cells, slowest axis first.
    step, seed, member : int
        As in :meth:`Surrogate.predict`.
    channels, noise_input : int
        Channels of the noise input, and its index in the manifest.
    origin, global_shape : sequence of int, optional
        Global index of the first cell, and shape of the whole domain; default: the block is the
        whole. Cells outside the domain are those at its other side.

    Returns
    -------
    ndarray, shape (channels, *shape), float32
        Standard normal numbers.

    Raises
    ------
    ParameterError
        If `step` is negative.
    """
    if step < 0:
        raise ParameterError(f"noise: step={step}; expected 0 or more")
    if member < 0 or channels < 1 or min(shape) < 1:
        raise ArgumentError(
            f"noise: member={member}, channels={channels}, shape={tuple(shape)}; expected a member "
            "from 0, at least one channel and one cell"
        )
    cells = _global_cells(shape, origin or [0] * len(shape), global_shape or shape)
    values = np.empty((channels, cells.size), np.float32)
    for first in range(0, channels, 4):
        words = philox((cells, first // 4, member, noise_input), (seed, step))
        for lane in range(min(4, channels - first)):
            values[first + lane] = normal(words[lane])
    return values.reshape(channels, *shape)


def philox(counter: tuple[Words | int, ...], key: tuple[int, int]) -> tuple[Words, ...]:
    """Philox4x64-10 of `counter`, four words of shape (n,) or ints, under `key`.

    ``numpy.random.Philox(counter=c, key=k)`` adds one to its counter before it draws: its first four words are
    those of counter c + 1.
    """
    size = max(np.size(word) for word in counter)
    c0, c1, c2, c3 = (
        np.broadcast_to(np.asarray(word, np.uint64), size).astype(np.uint64) for word in counter
    )
    for index in range(10):
        k0, k1 = (np.uint64((key[i] + index * _WEYL[i]) & _MASK) for i in (0, 1))
        high0, low0 = _multiply(_MULTIPLIERS[0], c0)
        high1, low1 = _multiply(_MULTIPLIERS[1], c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
    return c0, c1, c2, c3


def normal(words: Words) -> Float64:
    """The normal numbers of the upper 53 bits of `words`."""
    bits = words >> np.uint64(11)
    upper = (bits >> np.uint64(52)).astype(bool)
    folded = np.where(upper, ~bits, bits) & _MANTISSA
    p = (folded.astype(np.float64) + 0.5) * 2.0**-53  # distance to the nearer end, exact
    q = 0.5 - p
    r = 0.180625 - q * q
    z = q * _polynomial(_A, r) / _polynomial(_B, r)
    outer = q > 0.425
    z[outer] = _tail(p[outer])
    return np.where(upper, z, -z)


def _tail(p: Float64) -> Float64:
    r = np.sqrt(-_logarithm(p))
    near = _polynomial(_C, r - 1.6) / _polynomial(_D, r - 1.6)
    far = _polynomial(_E, r - 5.0) / _polynomial(_F, r - 5.0)
    return np.where(r <= 5.0, near, far)


def _logarithm(x: Float64) -> Float64:
    """Logarithm of normal numbers: e log 2 + 2 artanh((m - 1) / (m + 1)), x = m 2^e with m in [sqrt(1/2), sqrt 2)."""
    bits = x.view(np.uint64) + (_ONE - _SQRT_HALF)
    exponent = (bits >> np.uint64(52)).astype(np.float64) - 1023.0
    m = ((bits & _MANTISSA) + _SQRT_HALF).view(np.float64)
    s = (m - 1.0) / (m + 1.0)
    result: Float64 = exponent * _LOG2_HIGH + (
        2.0 * s * _polynomial(_ARTANH, s * s) + exponent * _LOG2_LOW
    )
    return result


def _polynomial(coefficients: Sequence[float], x: Float64) -> Float64:
    total: Float64 = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total = total * x + coefficient
    return total


def _multiply(a: np.uint64, b: Words) -> tuple[Words, Words]:
    """The upper and lower 64 bits of the product, by halves of 32."""
    a0, a1, b0, b1 = a & _LOW, a >> _HALF, b & _LOW, b >> _HALF
    low, middle, cross = a0 * b0, a1 * b0, a0 * b1
    carry = (low >> _HALF) + (middle & _LOW) + (cross & _LOW)
    high = a1 * b1 + (middle >> _HALF) + (cross >> _HALF) + (carry >> _HALF)
    return high, (carry << _HALF) | (low & _LOW)


def _global_cells(shape: Sequence[int], origin: Sequence[int], whole: Sequence[int]) -> Words:
    axes = np.indices(tuple(shape)).reshape(len(shape), -1)  # (rank, cells)
    index = np.zeros(axes.shape[1], np.int64)
    for axis, first, size in zip(axes, origin, whole, strict=True):
        index = index * size + (axis + first) % size
    return index.astype(np.uint64)
