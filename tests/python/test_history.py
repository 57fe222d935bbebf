"""Models that read several frames."""

import json

import numpy as np
import pytest
from bundles import field, manifest
from flow_bundle import affine

from surrogate import Surrogate
from surrogate.bundle.folder import write_bundle
from surrogate.bundle.tensors import encode_tensors
from surrogate.errors import ArgumentError, ShapeError
from surrogate.reference import reference
from surrogate.verification import verify_bundle

FIELDS = [field("u", mean=1.0, std=2.0), field("w")]
PROGRAM = affine([1.0, 0.5], channels=[2, 5])


@pytest.fixture
def bundle(make):
    """Three frames: u' = u + (u one step before - 1) / 2, w' = w + w(two steps before) / 2."""
    return make("history", FIELDS, PROGRAM, history=3)


@pytest.fixture
def model(bundle):
    with Surrogate.open(bundle) as model:
        yield model


@pytest.fixture
def frames():
    return np.random.default_rng(2).normal(size=(3, 2, 4, 6))


def test_frames_are_read_newest_first(model, bundle, frames):
    assert model.info.history == 3
    newest, *older = frames
    frame = model.predict(newest, history=older)
    np.testing.assert_allclose(frame[0], newest[0] + (older[0][0] - 1.0) / 2.0, atol=1e-6)
    np.testing.assert_allclose(frame[1], newest[1] + older[1][1] / 2.0, atol=1e-6)
    np.testing.assert_allclose(frame, reference(bundle, newest, history=older), atol=1e-6)
    named = [{"u": entry[0], "w": entry[1]} for entry in frames]
    np.testing.assert_array_equal(model.predict(named[0], history=named[1:])["w"], frame[1])


def test_a_batch_has_a_history(model, frames):
    pair = np.stack([frames, frames + 1.0], axis=1)  # (3, B, C, ny, nx)
    result = model.predict(pair[0], history=list(pair[1:]))
    np.testing.assert_array_equal(result[1], model.predict(pair[0, 1], history=list(pair[1:, 1])))


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_rollout_shifts_its_history(model, frames, steps):
    found = model.rollout(frames[0], steps, history=list(frames[1:]))
    past = list(frames)
    for frame in found:
        past.insert(0, model.predict(past[0], history=past[1:3]))
        np.testing.assert_array_equal(frame, past[0])


def test_a_rollout_goes_on_from_the_solvers_frame(make, frames):
    bounds = {"bounds": {"u": {"upper": 10.0}}}
    program = affine([1.0, 0.0], channels=[2, 1])
    fields = [field("u"), field("w")]
    with Surrogate.open(make("growing", fields, program, guards=bounds, history=2)) as model:
        ones = np.ones((2, 4, 6))  # u: 1, 1 -> 2, 3, 5, 8, then 13 is refused
        found = model.rollout(
            ones, 7, history=[ones], on_reject=lambda state, _: np.zeros_like(state)
        )
    assert found[:, 0, 0, 0].tolist() == [2.0, 3.0, 5.0, 8.0, 0.0, 8.0, 8.0]


def test_a_missing_history_is_refused(model, bundle, frames):
    with pytest.raises(ArgumentError, match="history: 0 older frames given; this model reads 2"):
        model.predict(frames[0])
    with pytest.raises(ShapeError, match="history of 1 older frames"):
        reference(bundle, frames[0], history=[frames[1]])


def test_an_example_of_several_frames_is_verified(tmp_path, frames):
    x = frames.reshape(1, 6, 4, 6).astype("float32")
    y = x[:, [2, 5]] * np.array([1.0, 0.5], "float32").reshape(1, 2, 1, 1)
    files = {
        "programs/stub.json": json.dumps(PROGRAM).encode(),
        "example.safetensors": encode_tensors({"input": x, "expected": y}),
    }
    programs = [{"name": "stub", "engine": "stub", "format": "stub", "file": "programs/stub.json"}]
    folder = tmp_path / "history.surrogate"
    example = {"file": "example.safetensors", "tolerance": 1e-6}
    described = manifest("history", FIELDS, programs, example=example, history=3)
    write_bundle(folder, files, **described)
    assert all(check.passed for check in verify_bundle(folder))
