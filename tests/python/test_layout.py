"""Files of other layouts, by a mapping."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from surrogate.errors import ArgumentError, FieldError, NotFoundError, ShapeError
from surrogate.io.frames import open_frames
from surrogate.io.layout import load_layout

RNG = np.random.default_rng(1)
B = RNG.normal(size=(4, 8, 6, 2))  # (time, x, y, component)
RHO = RNG.normal(size=(4, 8, 6)).astype("f4")
RHO[0, 0, 0] = -9999
SOLVER = """
fields:
  rho: {dataset: fluid/density, axes: [time, x, y], fill: -9999}
  b: {dataset: fluid/B, axes: [time, x, y, component], unit: T}
spatial: [y, x]
time: {dataset: fluid/t, unit: s}
spacing: {x: 0.1, y: 0.2}
parameters: {gamma: {attribute: gamma}, eta: 0.01, b0: {attribute: fluid/B@mean}}
"""
MAP = """
fields:
  br: {dataset: Data, axes: [colatitude, longitude], unit: G}
coordinates: {colatitude: dim2, longitude: dim1}
"""


@pytest.fixture
def solver(tmp_path: Path) -> Path:
    with h5py.File(tmp_path / "run.h5", "w") as file:
        file["fluid/density"], file["fluid/B"] = RHO, B
        file["fluid/t"] = 0.5 * np.arange(4)
        file["fluid/B"].attrs["mean"] = 0.3
        file.attrs["gamma"] = 1.4
    (tmp_path / "m.yaml").write_text(SOLVER)
    return tmp_path / "run.h5"


def test_axes_are_put_in_order_wherever_they_stand(solver):
    with open_frames(solver, mapping=solver.parent / "m.yaml") as frames:
        assert (frames.names, frames.shape, frames.frames) == (("rho", "b"), (6, 8), 4)
        assert (frames.spacing, frames.time_unit, frames.unit("b")) == ((0.2, 0.1), "s", "T")
        np.testing.assert_array_equal(frames.times(), 0.5 * np.arange(4))
        np.testing.assert_array_equal(frames.read("b", 1, 3), B[1:3].transpose(0, 3, 2, 1))
        np.testing.assert_array_equal(frames.read("b[1]", 0, 4), B[..., 1].swapaxes(1, 2))
        assert frames.constants == {"gamma": 1.4, "eta": 0.01, "b0": 0.3}
        rho = frames.read("rho", 0, 4)
        assert rho.dtype == "f4"
        assert np.isnan(rho[0, 0, 0])
        np.testing.assert_array_equal(rho[1:], RHO[1:].swapaxes(1, 2))


def test_a_map_of_the_suns_field_over_colatitude_and_longitude(tmp_path):
    """The layout of synoptic maps: Data (colatitude, longitude), dim1 longitude, dim2 colatitude."""
    data = RNG.normal(size=(10, 21)).astype("f4")
    with h5py.File(tmp_path / "map.h5", "w") as file:
        file["Data"] = data
        file["dim1"] = np.linspace(0, 2 * np.pi, 21)
        file["dim2"] = np.linspace(0, np.pi, 10)
    (tmp_path / "m.yaml").write_text(MAP)
    with open_frames(tmp_path / "map.h5", mapping=tmp_path / "m.yaml") as frames:
        assert (frames.shape, frames.frames, frames.unit("br")) == ((10, 21), 1, "G")
        assert frames.spacing == pytest.approx((np.pi / 9, np.pi / 10))
        np.testing.assert_array_equal(frames.read("br", 0, 1)[0], data)


def test_times_may_be_a_start_and_a_step(solver):
    text = SOLVER.replace("{dataset: fluid/t, unit: s}", "{start: 10, step: 4, unit: h}")
    (solver.parent / "m.yaml").write_text(text)
    with open_frames(solver, mapping=solver.parent / "m.yaml") as frames:
        np.testing.assert_array_equal(frames.times(), [10, 14, 18, 22])


def test_a_mapping_renames_the_fields_of_formats_that_describe_themselves(tmp_path):
    np.save(tmp_path / "u.npy", B.transpose(0, 3, 2, 1))
    (tmp_path / "m.yaml").write_text(
        "fields: {bx: {dataset: 'u[0]', unit: T}, by: {dataset: 'u[1]'}}"
    )
    with open_frames(tmp_path / "u.npy", mapping=tmp_path / "m.yaml") as frames:
        assert frames.names == ("bx", "by")
        assert frames.unit("bx") == "T"
        np.testing.assert_array_equal(frames.read("by", 0, 4), B[..., 1].swapaxes(1, 2))


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("fluid/density", "fluid/densty", FieldError, "did you mean 'fluid/density'"),
        ("[time, x, y], fill", "[time, x], fill", ShapeError, "rho has 3 axes.*said to have 2"),
        ("[time, x, y], fill", "[time, x, z], fill", ShapeError, "rho has the spatial axes x, z"),
        ("axes: [time, x, y], ", "", ShapeError, "rho has 3 axes.*said to have 2: y, x"),
        ("attribute: gamma", "attribute: gama", FieldError, "no attribute 'gama'.*'gamma'"),
        ("fill: -9999", "select: {level: 0}", ArgumentError, "'rho' has no axis 'level'"),
        ("dataset: fluid/B,", "dataset: 'fluid/B[2]',", ArgumentError, "component 2 of field 'b'"),
        ("fluid/t,", "fluid/B,", ShapeError, "times for 4 frames"),
        ("fill:", "fil:", ArgumentError, "fields.rho.fil: unknown key; did you mean 'fill'"),
        ("spatial:", "space:", ArgumentError, "space: unknown key; did you mean"),
        ("fields:", "fields: [", ArgumentError, "not valid YAML"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_says_what_is_wrong(solver, old, new, error, message):
    (solver.parent / "m.yaml").write_text(SOLVER.replace(old, new))
    with pytest.raises(error, match=message):
        open_frames(solver, mapping=solver.parent / "m.yaml")


def test_a_mapping_that_is_not_there(tmp_path):
    with pytest.raises(NotFoundError, match="no such file"):
        load_layout(tmp_path / "m.yaml")
