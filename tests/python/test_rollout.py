"""Surrogate.rollout: many frames, each from the one before."""

import numpy as np
import pytest
from bundles import field
from flow_bundle import affine, flow_state, named

from surrogate import Rejected, Surrogate
from surrogate.errors import ArgumentError


@pytest.fixture
def model(flow):
    with Surrogate.open(flow) as model:
        yield model


@pytest.fixture
def growing(make):
    """u' = 2 u, refused above 10."""
    bounds = {"bounds": {"u": {"upper": 10.0}}}
    bundle = make("growing", [field("u")], affine([1.0]), guards=bounds)
    with Surrogate.open(bundle) as model:
        yield model


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_frames_equal_repeated_predictions(model, dtype):
    state = flow_state(dtype)
    frames = model.rollout(state, 4)
    assert frames.shape == (4, *state.shape)
    assert frames.dtype == state.dtype
    for frame in frames:
        state = model.predict(state)
        np.testing.assert_array_equal(frame, state)


def test_named_frames_equal_repeated_predictions(model):
    fields = named(flow_state())
    frames = model.rollout(fields, steps=3)
    assert frames["mask"] is fields["mask"]
    state = fields
    for index in range(3):
        state = model.predict(state)
        np.testing.assert_array_equal(frames["rho"][index], state["rho"])
        np.testing.assert_array_equal(frames["v"][index], state["v"])


def test_a_batch_rolls_out(model):
    batch = np.stack([flow_state(seed=seed) for seed in range(2)])
    frames = model.rollout(batch, 2)
    np.testing.assert_array_equal(frames[:, 1], model.rollout(batch[1], 2))


def test_torch_rolls_out(model):
    torch = pytest.importorskip("torch", reason="torch (extra: torch)")
    state = torch.from_numpy(flow_state())
    frames = model.rollout(state, 2)
    assert isinstance(frames, torch.Tensor)
    assert frames.shape == (2, 4, 6, 8)


def test_the_input_is_not_written(model):
    state = flow_state()
    kept = state.copy()
    model.rollout(state, 2)
    np.testing.assert_array_equal(state, kept)


def test_a_rejection_is_raised(growing):
    with pytest.raises(Rejected) as refused:
        growing.rollout(np.full((4, 4), 3.0), 5)
    assert refused.value.reason == "OUTPUT_OUT_OF_BOUNDS"
    assert growing.statistics.ok == 1


def test_a_rejection_stops(growing):
    frames = growing.rollout(np.full((4, 4), 3.0), 5, on_reject="stop")
    assert frames.shape == (1, 4, 4)
    assert growing.last_rejection.reason == "OUTPUT_OUT_OF_BOUNDS"
    stopped = growing.rollout({"u": np.full((4, 4), 3.0)}, 5, on_reject="stop")
    assert stopped["u"].shape == (1, 4, 4)


def test_the_solver_steps_itself_after_a_rejection(growing):
    seen = []

    def advance(state, rejection):
        seen.append((state.copy(), rejection.value))
        return state / 6.0

    frames = growing.rollout(np.full((4, 4), 3.0), 4, on_reject=advance)
    assert frames[:, 0, 0].tolist() == [6.0, 1.0, 2.0, 4.0]
    assert (seen[0][0] == 6.0).all()
    assert seen[0][1] == 12.0
    named_frames = growing.rollout(
        {"u": np.full((4, 4), 3.0)}, 2, on_reject=lambda state, _: {"u": state["u"] / 6.0}
    )
    assert named_frames["u"][:, 0, 0].tolist() == [6.0, 1.0]


def test_no_steps_no_frames(model):
    assert model.rollout(flow_state(), 0).shape == (0, 4, 6, 8)
    with pytest.raises(ArgumentError, match="steps=-1"):
        model.rollout(flow_state(), -1)
