"""Pairs with conditions, masks, parameters, several strides, windows, and from lists of pairs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from surrogate_training.config import Data
from surrogate_training.data.pairs import PairSet, grid_of, open_sets
from surrogate_training.data.split import LeakageError
from surrogate_training.data.statistics import measure
from surrogate_training.magnetogram.pairlist import read_pairs

from surrogate.io.tai import format_time, hours, parse_time

FIRST = "2011.02.16_08:00:00_TAI"
START = hours(parse_time(FIRST))
HEADER = "region,t1,t2,dt_hours,file1,file2"


def _fields(seed: int, frames: int = 6) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    names = ("br", "flow", "source")
    made = {n: rng.normal(size=(frames, 8, 12)).astype("f4") for n in names}
    made["source"][:] = 0
    made["source"][1, 3, 4] = 1
    return made


def _time(later: float) -> str:
    return format_time(parse_time(FIRST) + timedelta(hours=later))


def _write(path: Path, fields: dict[str, np.ndarray], *, step: float = 4.0, **more: Any) -> None:
    units = more.pop("units", {})
    with h5py.File(path, "w") as file:
        for name, values in fields.items():
            file[name] = values
            file[name].attrs["units"] = units.get(name, "1")
        file["time"] = step * np.arange(len(next(iter(fields.values()))))
        file.attrs.update(more)


def _data(folder: Path, **changes: Any) -> Data:
    tree = {
        "path": str(folder),
        "pattern": "*.h5",
        "fields": [
            {"name": "br", "scaling": "asinh", "softening": 0.5},
            {"name": "flow", "condition": True},
            {"name": "source", "condition": True},
        ],
        "split": {"validation": 0, "test": 0},
    }
    return Data.model_validate(tree | changes)


def _set(folder: Path, **changes: Any) -> PairSet:
    return PairSet(tuple(sorted(folder.glob("*.h5"))), _data(folder, **changes))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n in range(2):
        _write(tmp_path / f"t{n}.h5", _fields(n), eta=0.1 * (n + 1))
    return tmp_path


def test_conditions_come_from_their_own_frames_and_may_be_uniform(folder: Path) -> None:
    pairs, made = _set(folder), _fields(1)
    np.testing.assert_array_equal(pairs.pair(5)[:, 1], made["flow"][:2])
    assert not pairs.pair(5)[0, 2].any()
    _write(folder / "t1.h5", made | {"br": made["source"]})
    with pytest.raises(ValueError, match=r"t1.h5: frame 0 of br is uniform"):
        _set(folder)


@pytest.mark.parametrize("cached", [False, True])
def test_a_window_is_the_frames_one_jump_apart(folder: Path, *, cached: bool) -> None:
    pairs, made = _set(folder, stride=2, cached=cached), _fields(0)
    assert pairs.spans(2) == list(range(8))
    assert pairs.spans(3) == [0, 1, 4, 5]
    np.testing.assert_array_equal(pairs.window(1, 3)[:, 0], made["br"][1::2])
    with pytest.raises(ValueError, match=r"spans\(3\)"):
        pairs.window(2, 3)


def test_the_state_before_is_one_jump_before(folder: Path) -> None:
    pairs, made = _set(folder, stride=2), _fields(0)
    assert pairs.previous(1) is None
    before = pairs.previous(2)
    assert before is not None
    np.testing.assert_array_equal(before[0], made["br"][0])


def test_several_strides_have_their_own_jump_and_parameters_stand_in_the_recipes_order(
    folder: Path,
) -> None:
    pairs = _set(folder, strides=[1, 3], parameters=[{"name": "eta"}, {"name": "dt"}])
    assert len(pairs) == 2 * (5 + 3)
    assert {pairs.jump(i) for i in range(len(pairs))} == {4.0, 12.0}
    found = measure(pairs, grid_of([pairs])).parameters
    assert (found["dt"].minimum, found["dt"].maximum) == (4, 12)
    assert found["eta"].mean == pytest.approx(0.15)
    long = next(i for i in range(8, 16) if pairs.jump(i) == 12)
    parameters = pairs.parameters(long)
    assert parameters is not None
    np.testing.assert_allclose(parameters, [0.2, 12], rtol=1e-6)
    np.testing.assert_array_equal(pairs.pair(long)[1, 0], _fields(1)["br"][3])
    with pytest.raises(ValueError, match=r"no scalar 'gamma'.*data.parameters"):
        _set(folder, parameters=[{"name": "gamma"}])


def test_missing_cells_are_filled_and_have_no_weight(folder: Path) -> None:
    made = _fields(1)
    made["br"][0, 0, :3] = np.nan
    made["flow"][1, 7, 7] = np.nan
    _write(folder / "t1.h5", made)
    with pytest.raises(ValueError, match=r"t1.h5 holds values that are not finite.*mask"):
        _set(folder)
    fields = [{"name": "br", "fill": 2.0}, {"name": "flow", "condition": True}]
    pairs = _set(folder, missing="mask", fields=fields)
    assert (pairs.pair(5)[0, 0, 0, :3] == 2).all()
    weight = pairs.weight(5)
    assert weight is not None
    assert weight.shape == (1, 8, 12)
    assert (weight == 0).sum() == 3  # the flow at t2 is not used
    later = pairs.weight(6)
    assert later is not None
    assert later[0, 7, 7] == 0
    assert later.sum() == 95


def test_statistics_are_those_of_the_cells_with_data(folder: Path) -> None:
    made = _fields(1)
    made["br"][:, :, :5] = np.nan
    _write(folder / "t1.h5", made)
    fields = [{"name": "br", "fill": 99.0, "scaling": "asinh", "softening": 0.5}]
    pairs = _set(folder, missing="mask", fields=fields)
    found = measure(pairs, grid_of([pairs])).fields["br"]
    u = np.concatenate([_fields(0)["br"][:5].ravel(), made["br"][:5, :, 5:].ravel()])
    assert found.mean == pytest.approx(u.astype("f8").mean(), abs=1e-9)
    assert found.std == pytest.approx(u.astype("f8").std(), rel=1e-6)
    assert found.maximum < 99
    largest = max(abs(found.minimum), found.maximum)
    assert found.scaled_limit == pytest.approx(np.arcsinh(largest / 0.5))


def test_a_mean_over_the_interval_after_the_last_frame_may_be_missing(folder: Path) -> None:
    made = _fields(1)
    made["flow"][-1] = np.nan
    _write(folder / "t1.h5", made)
    fields = [{"name": "br"}, {"name": "flow", "condition": True, "interval": True}]
    pairs = _set(folder, fields=fields)
    assert np.isfinite(pairs.pair(9)).all()
    made["flow"][2, 0, 0] = np.nan
    _write(folder / "t1.h5", made)
    with pytest.raises(ValueError, match="not finite, first in frame 2"):
        _set(folder, fields=fields)


def test_files_of_unlike_units_or_shapes_are_refused(folder: Path) -> None:
    _write(folder / "t1.h5", _fields(1), units={"br": "T"})
    _write(folder / "t0.h5", _fields(0), units={"br": "G"})
    with pytest.raises(ValueError, match=r"t1.h5: br is in 'T', but in .*t0.h5 in 'G'"):
        _set(folder)
    with pytest.raises(ValueError, match=r"br is in 'G', but the recipe says 'kG'"):
        PairSet((folder / "t0.h5",), _data(folder, fields=[{"name": "br", "unit": "kG"}]))
    PairSet((folder / "t0.h5",), _data(folder, fields=[{"name": "br", "unit": "Mx/cm^2"}]))
    _write(folder / "t1.h5", {n: u[:, :4] for n, u in _fields(1).items()}, units={"br": "G"})
    with pytest.raises(ValueError, match=r"t1.h5 has \(4, 12\) cells.*one grid"):
        _set(folder)


def test_a_part_without_a_pair_is_refused(folder: Path) -> None:
    split = {"validation": 0, "test": 1}
    with pytest.raises(ValueError, match=r"train has no pair.*6 frames at most, and the stride is"):
        open_sets(_data(folder, split=split, stride=6), root=folder)
    with pytest.raises(ValueError, match=r"asks for '/brr'") as caught:
        _set(folder, fields=[{"name": "brr"}])
    assert "did you mean 'br'" in str(caught.value)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_sets_may_be_used_in_other_processes(folder: Path) -> None:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    pairs = _set(folder, cached=False)
    expected = [pairs.pair(i) for i in range(len(pairs))]
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        for one, other in zip(pool.map(pairs.pair, range(len(pairs))), expected, strict=True):
            np.testing.assert_array_equal(one, other)


def _cubes(folder: Path, regions: int, *, frames: int = 4, step: float = 4.0) -> None:
    """FITS cubes of regions, and the list of their pairs."""
    fits = pytest.importorskip("astropy.io.fits")
    lines = [f"{HEADER},note"]
    for region in range(regions):
        made = _fields(region, frames)
        for n in range(frames):
            header = fits.Header({"CHAN1": "Br", "CHAN2": "Flow", "BUNIT": "G", "HARPNUM": region})
            header["T_REC"] = _time(step * n)
            cube = np.stack([made["br"][n], made["flow"][n]])
            fits.PrimaryHDU(cube, header).writeto(folder / f"{region}_{n}.fits")
        for n in range(frames - 1):
            times = f"{_time(step * n)},{_time(step * (n + 1))}"
            lines.append(f"{region},{times},{step},{region}_{n}.fits,{region}_{n + 1}.fits,x")
    (folder / "pairs.csv").write_text("\n".join(lines) + "\n")


def _listed(folder: Path, **changes: Any) -> Data:
    fields = [{"name": "br", "dataset": "Br", "unit": "G"}, {"name": "f", "dataset": "cube[1]"}]
    return _data(folder, fields=fields, **changes)


def _lists(folder: Path, **parts: list[str]) -> dict[str, str]:
    """The rows of these regions, a list a part."""
    head, *rows = (folder / "pairs.csv").read_text().splitlines()
    for part, regions in parts.items():
        chosen = [row for row in rows if row.partition(",")[0] in regions]
        (folder / f"{part}.csv").write_text("\n".join([head, *chosen]) + "\n")
    return {part: f"{part}.csv" for part in parts}


@pytest.mark.parametrize("cached", [False, True])
def test_listed_pairs_are_read_in_the_lists_order(tmp_path: Path, *, cached: bool) -> None:
    _cubes(tmp_path, 4)
    lists = _lists(tmp_path, train=["0", "1", "2"], test=["3"])
    sets = open_sets(_listed(tmp_path, pairs=lists, cached=cached), root=tmp_path)
    assert [len(s) for s in sets.values()] == [6, 3, 3]  # a region of train is held out
    train, made = sets["train"], _fields(1, 4)
    np.testing.assert_array_equal(train.pair(4)[:, 0], made["br"][1:3])
    np.testing.assert_array_equal(train.pair(4)[:, 1], made["flow"][1:3])
    assert train.where(4) == ("1_1.fits", 0)
    assert train.time(4) == START + 4
    assert train.jump(4) == 4
    assert train.spans(3) == [0, 1, 3, 4]
    np.testing.assert_array_equal(train.window(3, 4)[:, 0], made["br"])
    before = train.previous(4)
    assert before is not None
    np.testing.assert_array_equal(before[0], made["br"][0])
    grid = grid_of(sets.values())
    assert (grid.shape, grid.jump) == ((8, 12), 4)
    assert "HARPNUM" not in grid.constants


def test_a_region_on_both_sides_is_found(tmp_path: Path) -> None:
    _cubes(tmp_path, 3)
    lists = _lists(tmp_path, train=["0", "1", "2"], test=["2"])
    with pytest.raises(LeakageError, match="region 2 is in validation and in test"):
        open_sets(_listed(tmp_path, pairs=lists), root=tmp_path)


def test_lists_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    _cubes(tmp_path, 2)
    good = (tmp_path / "pairs.csv").read_text()
    cases = {
        HEADER + "\n": "holds no pair.*surrogate data pair",
        good.replace("dt_hours", "dt"): "no column 'dt_hours'",
        good.replace("2011.02.16_08", "16.02.2011_08"): "line 2: .* is no time",
        good.replace("0_2.fits", "0_9.fits"): "0_9.fits: no such file",
        good.replace("1,2011.02.16_08", "0,2011.02.16_08"): "two files of one time",
        good.replace(
            "_12:00:00_TAI,4.0,0_0", "_16:00:00_TAI,8.0,0_0"
        ): "from 4 to 8 hours.*data.param",
        good.replace("_12:00:00_TAI,4.0,0_0", "_08:00:00_TAI,0.0,0_0"): "is not later than t1",
    }
    data = _listed(tmp_path, pairs={"train": "bad.csv", "test": "pairs.csv"})
    data = data.model_copy(
        update={"pairs": data.pairs and data.pairs.model_copy(update={"validation": "pairs.csv"})}
    )
    for text, message in cases.items():
        rows = text.replace(",0_", ",./0_") if "two files" in message else text
        (tmp_path / "bad.csv").write_text(rows)
        # regions on both sides are found before files are opened: read the bad list alone
        with pytest.raises((ValueError, OSError), match=message):
            _read_alone(tmp_path / "bad.csv", data)
    with pytest.raises(FileNotFoundError, match="surrogate data pair"):
        _read_alone(tmp_path / "none.csv", data)


def _read_alone(path: Path, data: Data) -> PairSet:
    return PairSet((), data, listed=read_pairs(path))


@pytest.mark.parametrize("kind", ["npy", "nc", "images", "mapped"])
def test_a_data_set_may_be_of_any_readable_format(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(7)
    made = rng.integers(0, 60000, size=(3, 4, 8, 12)).astype("u2")  # (trajectories, frames, ny, nx)
    changes: dict[str, Any] = {"fields": [{"name": "u"}], "pattern": f"*.{kind}"}
    for n, run in enumerate(made):
        if kind == "npy":
            np.save(tmp_path / f"{n}.npy", run)
        elif kind == "nc":
            xarray = pytest.importorskip("xarray")
            values = xarray.Dataset({"u": (("time", "y", "x"), run), "time": np.arange(4.0)})
            values.to_netcdf(tmp_path / f"{n}.nc", engine="h5netcdf")
        elif kind == "images":
            image = pytest.importorskip("PIL.Image")
            (tmp_path / f"run{n}").mkdir()
            for k, frame in enumerate(run):
                image.fromarray(frame).save(tmp_path / f"run{n}" / f"{k:03d}.png")
            changes |= {"fields": [{"name": "u", "dataset": "image"}], "pattern": "run*"}
        else:
            with h5py.File(tmp_path / f"{n}.h5", "w") as file:
                file["deep/data"] = np.moveaxis(run, 0, -1)
            text = "fields: {u: {dataset: deep/data, axes: [y, x, time]}}\ntime: {step: 2}\n"
            (tmp_path / "layout.yaml").write_text(text)
            changes |= {"mapping": "layout.yaml", "pattern": "*.h5"}
    split = {"validation": 0, "test": 1}
    sets = open_sets(_data(tmp_path, split=split, cached=False, **changes), root=tmp_path)
    assert [len(s) for s in sets.values()] == [6, 0, 3]
    np.testing.assert_array_equal(sets["test"].pair(2)[:, 0], made[2, 2:4].astype("f4"))
    assert grid_of(sets.values()).jump == (2 if kind == "mapped" else 1)
