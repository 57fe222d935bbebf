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


GUARDS = {"conserved": {"tolerance": 1e-6}, "policy": {"conserved": "project"}}


@pytest.fixture
def conserving(make):
    """u grows in its upper half and shrinks in the lower; its integral is restored."""
    fields = [field("u", conserved=True), field("mask", prediction=None)]
    with Surrogate.open(make("conserving", fields, affine([0.5], [0.25]), guards=GUARDS)) as model:
        yield model


def test_finishing_with_the_own_sums_is_waiting(conserving):
    for state in (flow_state()[:2], np.stack([flow_state()[:2], flow_state(seed=1)[:2]])):
        expected = conserving.predict_begin(state).wait()
        pending = conserving.predict_begin(state)
        sums = pending.partials()
        assert sums.shape == (len(state.reshape(-1, 2, 6, 8)) * conserving.info.partial_count,)
        np.testing.assert_array_equal(pending.partials(), sums)
        np.testing.assert_array_equal(pending.finish(list(sums)), expected)
        with pytest.raises(ArgumentError, match="waited for already"):
            pending.partials()
    named_state = {"u": flow_state()[0], "mask": flow_state()[1]}
    pending = conserving.predict_begin(named_state)
    frame = pending.finish(pending.partials())
    np.testing.assert_array_equal(frame["u"], conserving.predict(named_state)["u"])


def test_totals_of_two_halves_restore_the_integral_of_the_whole(conserving, flow):
    whole = flow_state(ny=12)[:2]
    halves = whole[:, :6], whole[:, 6:]
    frames, sums = [], []
    for half in halves:
        pending = conserving.predict_begin(half)
        sums.append(pending.partials())
        pending.wait()
    for half in halves:
        pending = conserving.predict_begin(half)
        frames.append(pending.finish(sum(sums)))
    expected = conserving.predict(whole)
    np.testing.assert_allclose(np.concatenate(frames, axis=1), expected, atol=1e-12)
    assert abs(frames[0][0].sum() - halves[0][0].sum()) > 0.01  # not by its own sums


def test_a_wrong_number_of_totals_leaves_the_prediction_under_way(conserving):
    state = flow_state()[:2]
    pending = conserving.predict_begin(state)
    with pytest.raises(ArgumentError, match=r"totals of shape \(1,\); expected"):
        pending.finish([0.0])
    np.testing.assert_array_equal(pending.wait(), conserving.predict(state))


def test_a_failed_program_ends_the_prediction_in_partials(make):
    program = affine([1.0], fail="run", after=1)
    with Surrogate.open(make("failing", [field("u")], program)) as model:
        pending = model.predict_begin(np.zeros((4, 4)))
        with pytest.raises(ExecutionError):
            pending.partials()
        with pytest.raises(ArgumentError, match="waited for already"):
            pending.wait()
        with pytest.raises(ExecutionError):
            model.predict(np.zeros((4, 4)))
