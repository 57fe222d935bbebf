"""Predictions beside the solver: predict_begin, done, wait."""

import gc

import numpy as np
import pytest
from bundles import field
from flow_bundle import affine, flow_state, named

from surrogate import Rejected, Surrogate
from surrogate.errors import ArgumentError, ExecutionError, ShapeError


@pytest.fixture
def model(flow):
    with Surrogate.open(flow) as model:
        yield model


def test_wait_returns_what_predict_does(model):
    state = flow_state()
    expected = model.predict(state)
    for _ in range(20):
        pending = model.predict_begin(state)
        while not pending.done():
            pass
        np.testing.assert_array_equal(pending.wait(), expected)
    frames = model.predict_begin(named(state)).wait()
    np.testing.assert_array_equal(frames["v"], expected[1:3])


def test_the_output_is_written_in_wait(model):
    state = flow_state()
    expected = model.predict(state)
    out = np.zeros_like(state)
    pending = model.predict_begin(state, out=out)
    while not pending.done():
        pass
    assert (out == 0).all()
    assert pending.wait() is out
    np.testing.assert_array_equal(out[:3], expected[:3])


def test_arrays_live_until_wait(model):
    expected = model.predict(flow_state())
    pending = model.predict_begin(flow_state())
    gc.collect()
    np.testing.assert_array_equal(pending.wait(), expected)


def test_other_calls_wait_their_turn(model):
    pending = model.predict_begin(flow_state())
    with pytest.raises(ArgumentError, match="is under way"):
        model.predict(flow_state())
    with pytest.raises(ArgumentError, match="is under way"):
        model.predict_begin(flow_state())
    pending.wait()
    with pytest.raises(ArgumentError, match="waited for already"):
        pending.wait()
    with pytest.raises(ArgumentError, match="waited for already"):
        pending.done()


def test_outcomes_come_out_of_wait(make):
    bounds = {"bounds": {"u": {"upper": 3.0}}}
    with Surrogate.open(make("bounded", [field("u")], affine([1.0]), guards=bounds)) as model:
        with pytest.raises(ShapeError):
            model.predict_begin(np.zeros(4))
        pending = model.predict_begin(np.full((4, 4), 2.0))
        with pytest.raises(Rejected, match="out of bounds") as refused:
            pending.wait()
        assert refused.value.reason == "OUTPUT_OUT_OF_BOUNDS"
        assert (model.predict(np.ones((4, 4))) == 2.0).all()
    program = affine([1.0], fail="run", after=1)
    with Surrogate.open(make("failing", [field("u")], program)) as model:
        pending = model.predict_begin(np.ones((4, 4)))
        with pytest.raises(ExecutionError, match="asks to fail in run"):
            pending.wait()


def test_closing_waits(flow):
    model = Surrogate.open(flow)
    out = np.zeros_like(flow_state())
    pending = model.predict_begin(flow_state(), out=out)
    model.close()
    assert (out == 0).all()
    with pytest.raises(ArgumentError, match="closed"):
        pending.wait()
