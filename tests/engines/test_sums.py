"""The engine's numbers of a call are those of numpy, and its writing shifts and clips."""

from __future__ import annotations

import numpy as np
import pytest
from engines.interface import Program, Source, Sums, Target, channel, layout_of
from engines.torchscript import engine_folder, traced

torch = pytest.importorskip("torch", reason="torch is missing: pip install torch==2.13.0")


@pytest.fixture
def program():
    (engine,) = list(engine_folder().glob("libsurrogate_engine_torch-*.so"))[:1]
    opened = Program(engine, traced(torch.nn.Identity(), channels=2))
    yield opened
    opened.close()


@pytest.fixture(params=["float32", "float64"])
def call(request):
    """Two channels of two states, u' = u + 0.25 + 2 (u - 1) / 4 and u' = 3 u."""
    values = np.random.default_rng(1).normal(size=(2, 2, 6, 5)).astype(request.param)
    output = np.zeros_like(values)
    limits = {"lower": -0.5, "upper": 0.75}
    sources = [
        channel(
            Source, values[:, 0], mean=1.0, inverse=0.25, trained_lower=-1.0, trained_upper=1.5
        ),
        channel(Source, values[:, 1], **limits),
    ]
    targets = [
        channel(Target, output[:, 0], source=0, offset=0.25, scale=2.0, **limits),
        channel(Target, output[:, 1], source=1, increment=0, scale=3.0, **limits),
    ]
    return values, output, sources, targets


def run(program: Program, call, **more: int):
    values, _, sources, targets = call
    layout = layout_of(values, sources, targets, **more)
    read, written = (Sums * 4)(), (Sums * 4)()
    program.run(layout, read, written)
    return layout, *([sums[:2], sums[2:]] for sums in (read, written))  # [state][channel]


def frames(values: np.ndarray) -> list[np.ndarray]:
    u = values.astype(float)
    return [u[:, 0] + 0.25 + 2.0 * (u[:, 0] - 1.0) * 0.25, 3.0 * u[:, 1]]


def test_sums_are_those_of_the_values(program, call):
    values, output, _, _ = call
    _, read, written = run(program, call, moments=1)
    for b in range(2):
        for c, (frame, mean) in enumerate(zip(frames(values), (1.0, 0.0), strict=True)):
            u, sums = values[b, c].astype(float), read[b][c]
            expected = [(u - mean).sum(), ((u - mean) ** 2).sum(), abs(u).sum()]
            found = [sums.sum, sums.square, sums.absolute]
            np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6)
            change = frame[b] - u
            found = [written[b][c].sum, written[b][c].square]
            expected = [change.sum(), (change**2).sum()]
            np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6)
        u = values[b, 0].astype(float)
        assert read[b][0].outside == ((u < -1.0) | (u > 1.5)).sum()
        assert read[b][1].outside == 0
    assert (output == 0).all()  # nothing is written before device_write


def test_breaches_are_counted_and_the_first_is_named(program, call):
    values, _, _, _ = call
    values[1, 1, 2, 3] = np.nan
    values[1, 1, 3, 3] = np.inf
    _, read, written = run(program, call, finite=1)
    for b in range(2):
        u, sums = values[b, 1], read[b][1]
        assert sums.not_finite == written[b][1].not_finite == 2 * b
        finite = np.isfinite(u)
        bad = finite & ~((u >= -0.5) & (u <= 0.75))
        assert sums.out_of_bounds == bad.sum()
        first = np.flatnonzero(bad if b == 0 else ~finite)[0]
        assert sums.offender == first
        np.testing.assert_equal(sums.offending, float(u.ravel()[first]))
        assert read[b][0].offender == -1
        assert sums.sum == 0.0  # moments were not asked for


def test_values_that_are_not_finite_offend_only_where_that_is_guarded(program, call):
    values, _, sources, _ = call
    sources[1].lower, sources[1].upper = -np.inf, np.inf
    values[0, 1, 0, 0] = np.nan
    assert run(program, call)[1][0][1].offender == -1
    assert run(program, call, finite=1)[1][0][1].offender == 0


def test_written_frame_is_clipped_then_shifted_state_by_state(program, call):
    values, output, _, targets = call
    targets[1].clip = 1
    layout, _, written = run(program, call, moments=1)
    first, second = frames(values)
    clipped = second.clip(-0.5, 0.75)
    for b in range(2):
        assert written[b][1].outside == (clipped[b] != second[b]).sum() > 0
        assert written[b][1].out_of_bounds == 0
        change = clipped[b] - values[b, 1]
        np.testing.assert_allclose(written[b][1].sum, change.sum(), rtol=1e-5, atol=1e-5)
    shifts = np.array([[0.125, 0.0], [0.0, -0.5]])  # [state][channel]
    layout.shifts = shifts.ctypes.data_as(type(layout.shifts))
    program.write(layout)
    np.testing.assert_allclose(output[0, 0], first[0] + 0.125, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(output[1, 0], first[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(output[0, 1], clipped[0], rtol=1e-6)
    np.testing.assert_allclose(output[1, 1], clipped[1] - 0.5, rtol=1e-5)
