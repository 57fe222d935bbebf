"""surrogate.noise: Philox as numpy's, normals as the distribution's, all as libsurrogate's to the bit."""

from statistics import NormalDist

import numpy as np
import pytest

from surrogate import _native
from surrogate.errors import ArgumentError, ParameterError
from surrogate.noise import noise, normal, philox

COUNTERS = [(0, 0, 0, 0), (5, 1, 2, 3), (2**64 - 1, 2**64 - 1, 9, 1)]


@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize("key", [(0, 0), (42, 7), (2**64 - 1, 2**63)])
def test_philox_is_numpys_one_counter_later(counter, key):
    before = (sum(word << (64 * k) for k, word in enumerate(counter)) - 1) % (1 << 256)
    expected = np.random.Philox(counter=before, key=key[0] | key[1] << 64).random_raw(4)
    found = philox(counter, key)
    assert [int(word[0]) for word in found] == expected.tolist()


def test_normals_are_the_inverse_distribution():
    words = np.random.Philox(3).random_raw(2000)
    words[:3] = 0, 2**64 - 1, 1 << 63
    expected = [NormalDist().inv_cdf((int(word >> 11) + 0.5) / 2**53) for word in words[2:]]
    np.testing.assert_allclose(normal(words)[2:], expected, rtol=1e-13, atol=1e-15)
    assert normal(words)[0] == -normal(words)[1]
    assert -8.4 < normal(words)[0] < -8.2


@pytest.mark.parametrize(
    ("shape", "channels", "origin", "global_shape"),
    [
        ((300,), 1, None, None),
        ((40, 50), 3, None, None),
        ((16, 16), 5, (-3, 7), (32, 20)),
        ((4, 5, 6), 9, (2, 0, 3), (8, 8, 8)),
        ((400, 400), 1, None, None),
    ],
)
@pytest.mark.parametrize(("seed", "step", "member"), [(0, 0, 0), (2**64 - 1, 2**62, 12345)])
def test_libsurrogate_draws_the_same_bits(
    shape, channels, origin, global_shape, seed, step, member
):
    ours = noise(
        shape,
        step=step,
        channels=channels,
        seed=seed,
        member=member,
        noise_input=2,
        origin=origin,
        global_shape=global_shape,
    )
    theirs = _native.noise(
        shape,
        _native.StepOptions(step=step, seed=seed, member=member),
        channels=channels,
        input=2,
        origin=origin or (),
        global_shape=global_shape or (),
    )
    assert ours.dtype == theirs.dtype == np.float32
    np.testing.assert_array_equal(ours.view(np.uint32), theirs.view(np.uint32))


def test_the_distribution_is_normal():
    values = np.sort(noise((500, 500), step=1, channels=4).ravel().astype(float))  # 10^6
    distribution = np.array([NormalDist().cdf(value) for value in values[::100]])
    expected = (np.arange(len(values))[::100] + 0.5) / len(values)
    assert np.abs(distribution - expected).max() < 1.95 / 1000  # Kolmogorov-Smirnov at 0.1 %
    assert abs(values.mean()) < 0.005
    assert abs(values.std() - 1.0) < 0.0036


def test_a_block_is_a_slice_of_the_whole():
    whole = noise((12, 10), step=4, channels=2, seed=9)
    block = noise((3, 4), step=4, channels=2, seed=9, origin=(11, 8), global_shape=(12, 10))
    rows, columns = np.arange(11, 14) % 12, np.arange(8, 12) % 10
    np.testing.assert_array_equal(block, whole[:, rows][:, :, columns])


def test_bad_arguments_are_refused():
    with pytest.raises(ParameterError, match="step=-1"):
        noise((2, 2), step=-1)
    with pytest.raises(ArgumentError, match="channels=0"):
        noise((2, 2), step=0, channels=0)
    with pytest.raises(ParameterError, match=r"step\.step is not given"):
        _native.noise((2, 2), _native.StepOptions())
