"""The guards of the bundle that comes with the package refuse states that are not those of its training."""

import numpy as np
import pytest

from surrogate import Rejected, Surrogate
from surrogate.bundle.manifest import Manifest
from surrogate.bundle.tensors import read_tensors
from surrogate.paths import find_bundle


@pytest.fixture(scope="module")
def shipped():
    """The model, and an unseen state of its family, shape (5, 128, 128)."""
    folder = find_bundle("mhd2d_128")
    manifest = Manifest.read(folder / "manifest.json")
    x = read_tensors(folder / "example.safetensors")["input"][0].astype(np.float64)  # (C, ny, nx)
    mean = [f.normalisation.mean[0] for f in manifest.fields]
    std = [f.normalisation.std[0] for f in manifest.fields]
    state = x * np.reshape(std, (-1, 1, 1)) + np.reshape(mean, (-1, 1, 1))
    with Surrogate.open(folder, threads=1) as model:
        yield model, state, manifest


def test_a_state_of_its_family_is_accepted_and_keeps_its_mass(shipped):
    model, state, _ = shipped
    frame = model.predict(state)
    assert abs(frame[0].sum() / state[0].sum() - 1) < 1e-14
    assert model.statistics.projections == 1


def white_noise(state):
    mean, deviation = state.mean((1, 2), keepdims=True), state.std((1, 2), keepdims=True)
    return mean + deviation * np.random.default_rng(0).normal(size=state.shape)


def amplitude(state, factor):
    mean = state.mean((1, 2), keepdims=True)
    return mean + factor * (state - mean)


def one(state, channel, change):
    changed = state.copy()
    changed[channel] = change(changed[channel])
    return changed


@pytest.mark.parametrize(
    ("make", "reasons"),
    [
        (lambda u: amplitude(u, 0.1), {"JUMP_OUT_OF_RANGE", "INPUT_UNLIKE_TRAINING"}),
        (lambda u: one(u, 0, lambda rho: rho + 1.0), {"INPUT_UNLIKE_TRAINING"}),
        (lambda u: one(u, 3, lambda p: 2.0 * p), {"INPUT_UNLIKE_TRAINING", "INPUT_OUT_OF_RANGE"}),
        (lambda u: one(u, 1, lambda vx: vx + 0.5), {"INPUT_UNLIKE_TRAINING"}),
        (lambda u: one(u, 4, lambda az: 3.0 * az), {"INPUT_UNLIKE_TRAINING", "INPUT_OUT_OF_RANGE"}),
        (white_noise, {"INPUT_OUT_OF_RANGE", "INPUT_OUT_OF_BOUNDS", "JUMP_OUT_OF_RANGE"}),
        (lambda u: amplitude(u, 2.0), {"INPUT_OUT_OF_RANGE", "INPUT_OUT_OF_BOUNDS"}),
    ],
    ids=["tenth of the amplitude", "mean of rho", "twice p", "mean of vx", "thrice az", "noise", "twice all"],
)  # fmt: skip
def test_a_state_unlike_its_training_is_refused(shipped, make, reasons):
    model, state, _ = shipped
    with pytest.raises(Rejected) as caught:
        model.predict(make(state))
    assert caught.value.reason in reasons
