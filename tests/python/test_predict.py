"""Surrogate.predict on numpy arrays: forms, strides, precision, memory."""

from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import numpy as np
import pytest
from bundles import field
from flow_bundle import affine, flow_next, flow_state, named

from surrogate import Surrogate
from surrogate.errors import ArgumentError

TOLERANCE = {"float32": 3e-6, "float64": 3e-6}  # the program itself computes in float32


@pytest.fixture
def model(flow):
    with Surrogate.open(flow) as model:
        yield model


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_array_follows_the_formula_and_keeps_dtype_and_shape(model, dtype):
    state = flow_state(dtype)
    frame = model.predict(state)
    assert type(frame) is np.ndarray
    assert (frame.dtype, frame.shape) == (state.dtype, state.shape)
    np.testing.assert_allclose(frame, flow_next(state), atol=TOLERANCE[dtype])


def test_named_arrays_give_the_same_bits_as_one_array(model):
    state = flow_state()
    frame = model.predict(state)
    frames = model.predict(named(state))
    assert list(frames) == ["rho", "v", "mask"]
    np.testing.assert_array_equal(frames["rho"], frame[0])
    np.testing.assert_array_equal(frames["v"], frame[1:3])


def test_a_condition_field_passes_through(model):
    state = flow_state()
    fields = named(state)
    assert model.predict(fields)["mask"] is fields["mask"]
    np.testing.assert_array_equal(model.predict(state)[3], state[3])


def test_named_arrays_stand_in_any_order(model):
    fields = named(flow_state())
    turned = dict(reversed(fields.items()))
    frames = model.predict(turned)
    assert list(frames) == list(turned)
    np.testing.assert_array_equal(frames["v"], model.predict(fields)["v"])


def test_a_component_axis_of_length_one_is_allowed(model):
    fields = named(flow_state())
    long = {**fields, "rho": fields["rho"][None]}
    frames = model.predict(long)
    assert frames["rho"].shape == (1, 6, 8)
    np.testing.assert_array_equal(frames["rho"][0], model.predict(fields)["rho"])


def test_a_batch_equals_its_members_one_by_one(model):
    batch = np.stack([flow_state(seed=seed) for seed in range(3)])  # (B, C, ny, nx)
    frames = model.predict(batch)
    parts = {"rho": batch[:, :1], "v": batch[:, 1:3], "mask": batch[:, 3:]}
    listed = model.predict(parts)
    for index in range(3):
        np.testing.assert_array_equal(frames[index], model.predict(batch[index]))
        np.testing.assert_array_equal(listed["v"][index], frames[index, 1:3])


def test_a_model_of_one_channel_takes_a_bare_array(twice):
    u = np.arange(12.0).reshape(3, 4)
    with Surrogate.open(twice) as model:
        np.testing.assert_array_equal(model.predict(u), 2 * u)
        np.testing.assert_array_equal(model.predict(u[None])[0], 2 * u)


def views_of(state):
    """The same values behind other strides."""
    channels, ny, nx = state.shape
    ghost = np.full((channels, ny + 4, nx + 6), np.nan)
    ghost[:, 2:-2, 3:-3] = state
    records = np.full((ny, nx, channels), np.nan)
    records[...] = np.moveaxis(state, 0, -1)
    sparse = np.full((channels, 2 * ny, 3 * nx), np.nan)
    sparse[:, ::2, ::3] = state
    return {
        "ghost cells": ghost[:, 2:-2, 3:-3],
        "channel last": np.moveaxis(records, -1, 0),
        "every second": sparse[:, ::2, ::3],
        "reversed": state[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1],
        "fortran order": np.asfortranarray(state),
    }


@pytest.mark.parametrize("kind", list(views_of(flow_state())))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_strides_change_nothing(model, kind, dtype):
    state = flow_state(dtype)
    view = views_of(state)[kind].astype(dtype, order="K")
    out = views_of(np.zeros_like(state))[kind].astype(dtype, order="K")
    expected = model.predict(state)
    np.testing.assert_array_equal(model.predict(view), expected)
    model.predict(view, out=out)
    np.testing.assert_array_equal(out[:3], expected[:3])


def test_ghost_cells_of_the_output_are_left_alone(model):
    whole = np.full((4, 10, 14), -7.0)
    inner = whole[:, 2:-2, 3:-3]
    state = flow_state()
    assert model.predict(state, out=inner) is inner
    np.testing.assert_array_equal(inner[:3], model.predict(state)[:3])
    outside = np.ones_like(whole, bool)
    outside[:, 2:-2, 3:-3] = False
    assert (whole[outside] == -7.0).all()


def test_out_may_be_the_input(model):
    state = flow_state()
    expected = model.predict(state)
    assert model.predict(state, out=state) is state
    np.testing.assert_array_equal(state, expected)
    fields = named(flow_state())
    expected = model.predict(fields)
    model.predict(fields, out=fields)
    np.testing.assert_array_equal(fields["v"], expected["v"])


def test_out_of_named_arrays_needs_the_predicted_ones_only(model):
    fields = named(flow_state())
    out = {"v": np.empty((2, 6, 8)), "rho": np.empty((6, 8))}
    assert model.predict(fields, out=out) is out
    np.testing.assert_array_equal(out["rho"], model.predict(fields)["rho"])


def test_dense_float32_is_read_in_place(twice):
    with Surrogate.open(twice) as model:
        u = np.ones((1, 8, 8), "float32")
        model.predict(u)
        before = model.statistics
        model.predict(u, out=np.empty_like(u))
        after = model.statistics
    assert after.input_copies == before.input_copies
    assert after.output_passes == before.output_passes + 1
    assert after.allocations == before.allocations


def test_a_zero_increment_keeps_every_digit_of_float64(make):
    bundle = make("still", [field("u", mean=3.0, std=0.1)], affine([0.0]))
    u = np.random.default_rng(0).normal(1e9, 1.0, (1, 4, 4))
    with Surrogate.open(bundle) as model:
        np.testing.assert_array_equal(model.predict(u), u)


def test_parameters_by_name_by_order_and_by_default(make):
    parameters = [
        {"name": "nu", "range": [0.0, 1.0], "preset": 0.25},
        {"name": "g", "range": [-10.0, 0.0], "preset": -1.0},
    ]
    bundle = make("driven", [field("u")], affine([0.0], parameter=1), parameters=parameters)
    u = np.zeros((1, 4, 4))
    with Surrogate.open(bundle) as model:
        assert [entry.name for entry in model.parameters] == ["nu", "g"]
        assert model.predict(u)[0, 0, 0] == -1.0
        assert model.predict(u, parameters={"g": -2.0})[0, 0, 0] == -2.0
        assert model.predict(u, parameters=[0.5, -3.0])[0, 0, 0] == -3.0


def test_threads_may_share_a_model(model):
    states = [flow_state(ny=64, nx=64, seed=seed) for seed in range(8)]
    expected = [model.predict(state) for state in states]
    with ThreadPoolExecutor(4) as pool:
        for frame, known in zip(pool.map(model.predict, states * 4), expected * 4, strict=True):
            np.testing.assert_array_equal(frame, known)


def test_closing_while_another_thread_predicts_is_safe(flow):
    state = flow_state(ny=128, nx=128)
    for _ in range(20):
        model = Surrogate.open(flow)
        ended = []

        def work(model=model, ended=ended):
            try:
                while True:
                    model.predict(state)
            except ArgumentError as error:
                ended.append(str(error))

        thread = Thread(target=work)
        thread.start()
        model.close()
        thread.join(timeout=20)
        assert "closed" in ended[0]


def test_a_bundle_in_memory_gives_the_same_bits(model, flow):
    paths = (path for path in flow.rglob("*") if path.is_file())
    files = {path.relative_to(flow).as_posix(): path.read_bytes() for path in paths}
    with Surrogate.open_memory(files, engine="stub") as other:
        assert other.info.path == ""
        np.testing.assert_array_equal(other.predict(flow_state()), model.predict(flow_state()))


def test_what_a_model_is(model, flow):
    info = model.info
    assert (info.name, info.engine, info.program, info.device) == ("flow", "stub", "stub", "cpu")
    assert info.path == str(flow)
    assert (model.time_step, info.time_unit, info.channels) == (0.5, "s", 4)
    assert [entry.name for entry in model.fields] == ["rho", "v", "mask"]
    assert [entry.predicted for entry in model.fields] == [True, True, False]
    assert model.fields[1].unit == "m s-1"
    assert "flow" in repr(model)
    assert "rho, v, mask" in repr(model)


def test_log_lines_go_to_the_logger_surrogate(flow, caplog):
    with caplog.at_level("INFO", logger="surrogate"), Surrogate.open(flow):
        pass
    assert all(record.name == "surrogate" for record in caplog.records)
    assert any("stub" in record.message for record in caplog.records)
