"""Stochastic models from Python: single members, all of them, mean and spread, and the reference's noise."""

import numpy as np
import pytest
from bundles import field
from flow_bundle import affine

from surrogate import Ensemble, Rejected, Surrogate
from surrogate.errors import ArgumentError, ParameterError, UnsupportedError
from surrogate.reference import reference

NOISE = [{"name": "xi", "channels": 2}, {"name": "eta", "channels": 1}]


@pytest.fixture
def bundle(make):
    """u and v follow themselves and the last noise input; mask is only read."""
    fields = [field("u", scale=2.0), field("mask", prediction=None), field("v", mean=1.0, std=2.0)]
    return make("noisy", fields, affine([0.5, 0.25], noise=0.5, channels=[0, 2]), noise=NOISE)


@pytest.fixture
def model(bundle):
    with Surrogate.open(bundle) as model:
        yield model


def state(*lead):
    return np.random.default_rng(1).normal(size=(*lead, 3, 6, 8))


def test_a_step_is_needed(model):
    assert model.info.stochastic
    with pytest.raises(ParameterError, match=r"step\.step is not given"):
        model.predict(state())


def test_a_prediction_is_the_references(model, bundle):
    u = state()
    frame = model.predict(u, step=3, seed=4, member=5)
    np.testing.assert_allclose(frame, reference(bundle, u, step=3, seed=4, member=5), atol=1e-6)
    assert np.abs(frame - model.predict(u, step=4, seed=4, member=5)).max() > 0.1
    with pytest.raises(ParameterError, match="give step="):
        reference(bundle, u)


def test_a_batch_draws_as_members(model, bundle):
    batch = state(2)
    frames = model.predict(batch, step=3, member=5)
    np.testing.assert_array_equal(frames[1], model.predict(batch[1], step=3, member=6))
    np.testing.assert_allclose(frames, reference(bundle, batch, step=3, member=5), atol=1e-6)


def test_members_are_single_predictions(model):
    u = state()
    frames = model.predict_members(u, 4, step=1, seed=2, member=3)
    assert frames.shape == (4, *u.shape)
    for k in range(4):
        np.testing.assert_array_equal(frames[k], model.predict(u, step=1, seed=2, member=3 + k))
    named = {"u": u[0], "mask": u[1], "v": u[2]}
    parts = model.predict_members(named, 4, step=1, seed=2, member=3)
    np.testing.assert_array_equal(parts["v"], frames[:, 2])
    assert parts["mask"] is named["mask"]


def test_members_of_a_batch_stand_behind_its_axis(model):
    batch = state(2)
    frames = model.predict_members(batch, 3, step=1)
    assert frames.shape == (2, 3, 3, 6, 8)
    np.testing.assert_array_equal(frames[1], model.predict_members(batch[1], 3, step=1, member=3))


def test_mean_and_spread_are_those_of_the_members(model):
    u = state()
    frames = model.predict_members(u, 16, step=1)
    ensemble = model.predict(u, members=16, step=1)
    assert isinstance(ensemble, Ensemble)
    assert ensemble.members == 16
    np.testing.assert_allclose(ensemble.mean, frames.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(ensemble.spread, frames.std(axis=0, ddof=1), atol=1e-6)
    np.testing.assert_array_equal(ensemble.spread[1], 0.0)
    named = model.predict({"u": u[0], "mask": u[1], "v": u[2]}, members=16, step=1)
    np.testing.assert_array_equal(named.mean["u"], ensemble.mean[0])
    np.testing.assert_array_equal(named.spread["v"], ensemble.spread[2])
    assert model.predict(u, members=1, step=1).spread is None


def test_a_stochastic_rollout_counts_its_steps(model):
    u = state()
    frames = model.rollout(u, 3, step=7, seed=1)
    for k in range(3):
        u = model.predict(u, step=7 + k, seed=1)
        np.testing.assert_array_equal(frames[k], u)


def test_bad_ensembles_are_refused(model, make):
    u = state()
    with pytest.raises(ArgumentError, match="out= takes one frame"):
        model.predict(u, out=u, members=2, step=0)
    with pytest.raises(ArgumentError, match=r"step\.members 0"):
        model.predict(u, members=0, step=0)
    with (
        Surrogate.open(make("certain", [field("u")], affine([1.0]))) as certain,
        pytest.raises(UnsupportedError, match="no noise inputs"),
    ):
        certain.predict(np.zeros((4, 4)), members=2)


def test_one_refused_member_is_raised(make):
    bounds = {"bounds": {"u": {"upper": 0.5}}}
    bundle = make("bounded", [field("u")], affine([0.0], noise=1.0), noise=NOISE[:1], guards=bounds)
    with Surrogate.open(bundle) as model, pytest.raises(Rejected, match="of state"):
        model.predict(np.zeros((8, 8)), members=8, step=0)


def test_torchscript_reads_noise_after_parameters(tmp_path):
    torch = pytest.importorskip("torch", reason="torch (extra: torch)")
    from bundles import manifest

    from surrogate.bundle.folder import write_bundle

    class Net(torch.nn.Module):
        def forward(self, x, p, n):
            return x * p[:, :1, None, None] + n[:, :1] - n[:, 1:2]

    example = (torch.zeros(1, 1, 4, 4), torch.zeros(1, 1), torch.zeros(1, 2, 4, 4))
    torch.jit.trace(Net(), example).save(tmp_path / "net.pt")
    programs = [
        {"name": "net", "engine": "torch", "format": "torchscript", "file": "programs/net.pt"}
    ]
    folder = tmp_path / "net.surrogate"
    described = manifest(
        "net",
        [field("u")],
        programs,
        noise=NOISE[:1],
        parameters=[{"name": "mu", "range": [0.0, 2.0], "preset": 1.0}],
    )
    write_bundle(folder, {"programs/net.pt": (tmp_path / "net.pt").read_bytes()}, **described)
    u = state()[:1]
    with Surrogate.open(folder) as model:
        frame = model.predict(u, step=2, seed=3, parameters=[0.5])
        ensemble = model.predict(u, members=5, step=2)
    np.testing.assert_allclose(
        frame, reference(folder, u, step=2, seed=3, parameters=[0.5]), atol=1e-6
    )
    assert 0.5 < ensemble.spread.mean() < 2.5
