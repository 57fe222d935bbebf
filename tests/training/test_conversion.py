"""``surrogate data inspect`` and ``convert``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from surrogate_training.cli.data import app
from surrogate_training.data import inspection
from surrogate_training.data.inspection import inspect_file
from typer.testing import CliRunner

from surrogate.io import well
from surrogate.io.frames import FrameFile, open_frames

RNG = np.random.default_rng(3)
U = RNG.normal(size=(2, 5, 6, 8)).astype("f4")  # (trajectories, frames, ny, nx)
V = RNG.normal(size=(2, 5, 2, 6, 8))


def _run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def stacked(tmp_path: Path) -> list[Path]:
    """Two files that follow one another in time, each of a scalar and a vector."""
    files = []
    for n in range(2):
        with h5py.File(tmp_path / f"part{n}.h5", "w") as file:
            file["u"], file["v"], file["time"] = U[n], V[n], 0.5 * np.arange(5) + 10 * n
            file["u"].attrs["units"] = "m/s"
            file.attrs.update({"lx": 8.0, "ly": 3.0, "gamma": 1.4, "seed": n})
        files.append(tmp_path / f"part{n}.h5")
    return files


def test_inspection_says_what_the_arrays_hold(
    stacked: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with h5py.File(stacked[0], "a") as file:
        file["u"][1, 2, :3] = np.nan
        file["time"][4] = 9
    monkeypatch.setattr(well, "PIECE", 400)  # two frames of u at a time
    with open_frames(stacked[0]) as frames:
        assert len(list(inspection.pieces(frames, "u"))) > 2
    made = _run("inspect", stacked[0], "--json")
    assert made.exit_code == 0
    found = json.loads(made.stdout)
    assert (found["frames"], found["shape"], found["axes"]) == (5, [6, 8], ["y", "x"])
    assert found["spacing"] == [0.5, 1]
    assert found["constants"]["gamma"] == 1.4
    time = found["time"]
    assert (time["smallest_step"], time["largest_step"], time["regular"]) == (0.5, 7.5, False)
    u = U[0].astype("f8")
    u[1, 2, :3] = np.nan
    field = found["fields"]["u"]
    assert (field["dtype"], field["unit"], field["components"]) == ("float32", "m/s", 1)
    assert field["nan"] == pytest.approx(3 / u.size)
    for name, expected in {
        "minimum": np.nanmin(u),
        "maximum": np.nanmax(u),
        "mean": np.nanmean(u),
        "std": np.nanstd(u),
    }.items():
        assert field[name] == pytest.approx(expected, rel=1e-6)
    assert found["fields"]["v"]["components"] == 2
    text = _run("inspect", stacked[0]).stdout
    assert "irregular: steps of 0.5 to 7.5" in text
    assert "m/s" in text


def test_a_field_without_values_has_no_range(tmp_path: Path) -> None:
    np.save(tmp_path / "u.npy", np.full((2, 3, 4), np.nan, "f4"))
    field = inspect_file(tmp_path / "u.npy").fields["u"]
    assert (field.minimum, field.mean, field.nan) == (None, None, 1)


def test_files_of_one_run_are_joined_in_the_order_of_time(
    stacked: list[Path], tmp_path: Path
) -> None:
    made = _run("convert", stacked[1], stacked[0], tmp_path / "all.h5")
    assert made.exit_code == 0, made.output
    with FrameFile(tmp_path / "all.h5") as frames:
        assert frames.is_recording
        assert (frames.frames, frames.shape, frames.spacing) == (10, (6, 8), (0.5, 1.0))
        assert (frames.unit("u"), frames.dtype("u"), frames.dtype("v")) == ("m/s", "f4", "f8")
        np.testing.assert_array_equal(
            frames.times(), [*(0.5 * np.arange(5)), *(10 + 0.5 * np.arange(5))]
        )
        np.testing.assert_array_equal(frames.read("u", 0, 10), U.reshape(10, 6, 8))
        np.testing.assert_array_equal(frames.read("v", 0, 10), V.reshape(10, 2, 6, 8))
        assert frames.constants["gamma"] == 1.4
        np.testing.assert_array_equal(frames.scalar("seed"), [0] * 5 + [1] * 5)
    again = _run("convert", tmp_path / "all.h5", tmp_path / "again.h5", "--dtype", "float32")
    assert again.exit_code == 0
    with FrameFile(tmp_path / "again.h5") as frames:
        np.testing.assert_array_equal(frames.read("v[1]", 3, 4)[0], V[0, 3, 1].astype("f4"))


def test_each_file_is_converted_into_a_folder(stacked: list[Path], tmp_path: Path) -> None:
    made = _run(
        "convert", *stacked, tmp_path / "out", "--to", "npy", "--fields", "v[1],u", "--json"
    )
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["inputs"] == 2
    values = np.load(tmp_path / "out" / "part1.npy")
    np.testing.assert_array_equal(values, np.stack([V[1, :, 1], U[1]], axis=1))
    assert not list((tmp_path / "out").glob("*.partial"))


def test_fits_and_images_are_converted(tmp_path: Path) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    for n, hour in enumerate((12, 8)):
        header = fits.Header(
            {"T_REC": f"2011.02.16_{hour:02d}:00:00_TAI", "HARPNUM": 377, "CHAN1": "Br"}
        )
        header.update({"BUNIT": "G", "CRVAL1": 10.0 + n, "CDELT1": 0.5})
        fits.PrimaryHDU(U[0, n], header).writeto(tmp_path / f"{n}.fits")
    made = _run("convert", tmp_path / "0.fits", tmp_path / "1.fits", tmp_path / "harp.h5")
    assert made.exit_code == 0, made.output
    with FrameFile(tmp_path / "harp.h5") as frames:
        assert (frames.unit("Br"), frames.time_unit, frames.constants["HARPNUM"]) == ("G", "h", 377)
        assert np.diff(frames.times()) == pytest.approx([4])
        np.testing.assert_array_equal(frames.read("Br", 0, 2), U[0, 1::-1])
        np.testing.assert_array_equal(frames.scalar("CRVAL1"), [11, 10])


def test_one_component_has_no_axis_in_what_is_written(tmp_path: Path) -> None:
    np.save(tmp_path / "u.npy", V[0][:, :1])  # (frames, 1, ny, nx)
    made = _run("convert", tmp_path / "u.npy", tmp_path / "u.h5")
    assert made.exit_code == 0, made.output
    with open_frames(tmp_path / "u.h5") as frames:
        np.testing.assert_array_equal(frames.read("u", 0, 5), V[0][:, 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": np.arange(5.0)}, "not later than the file before"),
        ({"u": U[1, :, :4], "v": V[1, :, :, :4]}, r"part1.h5 has \(4, 8\) cells"),
        ({"v": V[1, :, :1]}, "v has 1 components, but 2"),
        ({"unit": "km/s"}, "u is in 'km/s', but in .* in 'm/s'"),
        ({"v": None}, "no field 'v'"),
    ],
)
def test_files_that_do_not_fit_together_leave_nothing_behind(
    stacked: list[Path], tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with h5py.File(stacked[1], "a") as file:
        unit = change.pop("unit", "m/s")
        for name, values in change.items():
            del file[name]
            if values is not None:
                file[name] = values
        if "u" in file:
            file["u"].attrs["units"] = unit
    made = _run("convert", *stacked, tmp_path / "all.h5", "--fields", "u,v", "--json")
    assert made.exit_code == 2
    found = json.loads(made.stdout)
    assert found["status"] == "FAILED"
    assert re.search(message, found["text"]), found["text"]
    assert not list(tmp_path.glob("all*"))


def test_a_file_that_breaks_while_it_is_read_leaves_nothing_behind(
    stacked: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FrameFile.read

    def broken(self: FrameFile, name: str, start: int, stop: int, **more: Any) -> Any:
        if self.path == stacked[1]:
            raise OSError("input/output error")
        return real(self, name, start, stop, **more)

    monkeypatch.setattr(FrameFile, "read", broken)
    made = _run("convert", *stacked, tmp_path / "all.h5")
    assert made.exit_code == 2
    assert not list(tmp_path.glob("all*"))


def test_targets_that_cannot_be_written_say_so(stacked: list[Path], tmp_path: Path) -> None:
    for arguments, message in {
        (stacked[0],): "one path was given",
        (stacked[0], stacked[0]): "is an input",
        (stacked[0], tmp_path / "a.txt"): "unknown kind of file",
        (stacked[0], tmp_path / "none" / "a.h5"): "no folder",
        (tmp_path / "none.h5", tmp_path / "a.h5"): "no such file",
    }.items():
        made = _run("convert", *arguments)
        assert made.exit_code == 2
        assert message in made.output


def test_a_file_of_an_unknown_layout_lists_its_datasets(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "map.h5", "w") as file:
        file["Data"], file["dim1"] = U[0, 0], np.arange(8.0)
    made = _run("inspect", tmp_path / "map.h5")
    assert made.exit_code == 2
    assert "needs a mapping" in made.output
    assert "Data (6, 8)" in made.output
    (tmp_path / "m.yaml").write_text("fields: {br: {dataset: Data, axes: [y, x], unit: G}}")
    made = _run("inspect", tmp_path / "map.h5", "--mapping", tmp_path / "m.yaml")
    assert made.exit_code == 0
    assert "br" in made.output
