"""Cubes: the right pixels under the right names, the header carried over, and every odd file named."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsoc import sharp_header, spot, write_segment, write_series
from surrogate_training.magnetogram.cube import make_cubes
from surrogate_training.magnetogram.images import read_image

from surrogate.errors import ArgumentError, FieldError, ShapeError, UnitError
from surrogate.io.frames import open_frames


def test_three_segments_become_one_cube_a_region_and_time(tmp_path: Path) -> None:
    source = write_series(tmp_path / "in", (377, 378), (0.0, 4.0))
    report = make_cubes([source], tmp_path / "out")
    assert (report.kind, report.channels) == ("segments", ("Br", "Bt", "Bp"))
    assert [p.name for p in report.cubes] == [
        f"harp{harp}.20110212_{hour}0000_TAI.fits" for harp in (377, 378) for hour in ("00", "04")
    ]
    image = read_image(report.cubes[0])
    for k, name in enumerate(("Br", "Bt", "Bp")):
        segment = read_image(next(source.glob(f"*.377.20110212_000000_TAI.{name}.fits")))
        np.testing.assert_array_equal(image.data[k], segment.data)
        assert image.header[f"CHAN{k + 1}"] == name
        assert image.header[f"CHUNIT{k + 1}"] == "Mx/cm^2"
    assert np.isnan(image.data[:, :3, :3]).all()
    assert np.isfinite(image.data).sum() == 3 * (32 * 32 - 9)


def test_the_header_is_carried_over_without_what_describes_one_file(tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_cubes([write_series(tmp_path / "in", times=(0.0,))], out)
    header = read_image(next(out.iterdir())).header
    kept = sharp_header()
    del kept["DATAMIN"], kept["SEGMENT"]
    assert {key: header[key] for key in kept} == kept
    for gone in ("DATAMIN", "SEGMENT", "BSCALE", "BLANK", "ZCMPTYPE"):
        assert gone not in header
    assert "channels Br, Bt, Bp" in str(header["HISTORY"])


def test_the_run_time_reads_a_cube_by_its_channels(tmp_path: Path) -> None:
    report = make_cubes([write_series(tmp_path / "in", times=(4.0,))], tmp_path / "out")
    with open_frames(report.cubes[0]) as frames:
        assert frames.names == ("Br", "Bt", "Bp")
        assert frames.unit("Bt") == "Mx/cm^2"
        np.testing.assert_array_equal(
            frames.read("Bp", 0, 1)[0], read_image(report.cubes[0]).data[2]
        )
        # hours since 1970 TAI of 2011.02.12_04:00
        assert frames.times()[0] == 15017 * 24 + 4


def test_any_number_of_named_segments_with_their_own_units(tmp_path: Path) -> None:
    source = tmp_path / "in"
    write_series(source, times=(0.0,), segments=("Br", "Source"))
    for name in ("Vlon", "Vlat"):
        write_segment(source, spot(), sharp_header(BUNIT="m/s"), name, stored="float32")
    report = make_cubes([source], tmp_path / "out", channels=["Br", "Vlon", "Vlat"])
    header = read_image(report.cubes[0]).header
    assert [header[f"CHUNIT{k}"] for k in (1, 2, 3)] == ["Mx/cm^2", "m/s", "m/s"]
    assert "BUNIT" not in header


def test_one_frame_is_repeated_three_times(tmp_path: Path) -> None:
    write_segment(tmp_path / "in", spot(), sharp_header(), "magnetogram", stored="float32")
    report = make_cubes([tmp_path / "in"], tmp_path / "out")
    assert report.channels == ("magnetogram_1", "magnetogram_2", "magnetogram_3")
    np.testing.assert_array_equal(read_image(report.cubes[0]).data, np.stack([spot()] * 3))


def test_planes_of_one_file_get_names(tmp_path: Path) -> None:
    planes = np.stack([spot(seed=k) for k in range(3)])
    write_segment(tmp_path / "in", planes, sharp_header(), "field", stored="float32")
    report = make_cubes([tmp_path / "in"], tmp_path / "out", channels=["Bx", "By", "Bz"])
    assert report.kind == "planes"
    np.testing.assert_array_equal(read_image(report.cubes[0]).data, planes)
    with pytest.raises(ShapeError, match=r"field\.fits: shape \(3, 32, 32\); expected 2 planes"):
        make_cubes([tmp_path / "in"], tmp_path / "out", channels=["Bx", "By"])


def test_cutting_the_middle_moves_the_reference_pixel(tmp_path: Path) -> None:
    report = make_cubes(
        [write_series(tmp_path / "in", times=(0.0,))], tmp_path / "out", size=(16, 24)
    )
    image = read_image(report.cubes[0])
    assert image.data.shape == (3, 16, 24)
    assert (image.header["CRPIX1"], image.header["CRPIX2"]) == (16.5 - 4, 16.5 - 8)
    with pytest.raises(ShapeError, match="--size 64,64"):
        make_cubes([tmp_path / "in"], tmp_path / "out", size=(64, 64))


def test_the_same_file_twice_is_counted_and_a_different_one_refused(tmp_path: Path) -> None:
    source = write_series(tmp_path / "in", times=(0.0,))
    first = next(source.glob("*.Br.fits"))
    copy = source / "copy" / first.name
    copy.parent.mkdir()
    shutil.copy(first, copy)
    assert make_cubes([source], tmp_path / "out").duplicates == 1
    copy.unlink()
    write_segment(copy.parent, spot(seed=9), sharp_header())
    with pytest.raises(ArgumentError, match="one region, time and channel, and differ"):
        make_cubes([source], tmp_path / "out")


def test_frames_that_miss_a_segment_are_named_and_left_out(tmp_path: Path) -> None:
    source = write_series(tmp_path / "in", times=(0.0, 4.0))
    next(source.glob("*_040000_TAI.Bt.fits")).unlink()
    report = make_cubes([source], tmp_path / "out")
    assert len(report.cubes) == 1
    assert report.incomplete == ["harp377 at 2011.02.12_04:00:00_TAI has no Bt"]


@pytest.mark.parametrize(
    ("keywords", "n", "error", "message"),
    [
        ({"BUNIT": "T"}, 32, UnitError, r"Bp\.fits: unit T, but .*Br\.fits has Mx"),
        ({"BUNIT": None}, 32, UnitError, r"Bp\.fits: no BUNIT"),
        ({}, 16, ShapeError, r"Bp\.fits: shape \(16, 16\), but .*Br\.fits has \(32, 32\)"),
        ({"CRVAL1": 99.0}, 32, ShapeError, r"Bp\.fits: CRVAL1 = 99\.0, but .*Br\.fits has 36\.0"),
    ],
)
def test_the_odd_file_is_named(
    tmp_path: Path, keywords: dict[str, Any], n: int, error: type[Exception], message: str
) -> None:
    source = write_series(tmp_path / "in", times=(0.0,), segments=("Br", "Bt"))
    write_segment(
        source,
        spot(n),
        {**sharp_header(), **keywords} if keywords.get("BUNIT", 1) else sharp_header(BUNIT=None),
        "Bp",
    )
    with pytest.raises(error, match=message):
        make_cubes([source], tmp_path / "out")
    assert not list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else True


def test_a_unit_that_changes_between_times_is_refused(tmp_path: Path) -> None:
    source = write_series(tmp_path / "in", times=(0.0,))
    write_series(source, times=(4.0,), BUNIT="kG")
    with pytest.raises(UnitError, match="Br in kG, but in Mx"):
        make_cubes([source], tmp_path / "out")


def test_channels_that_are_not_there_are_told(tmp_path: Path) -> None:
    source = write_series(tmp_path / "in", times=(0.0,), segments=("field", "inclination"))
    with pytest.raises(FieldError, match="the segments field, inclination, and none is among"):
        make_cubes([source], tmp_path / "out")
    with pytest.raises(FieldError, match="has no azimuth"):
        make_cubes([source], tmp_path / "out", channels=["field", "azimuth"])
    with pytest.raises(ArgumentError, match="'field' is empty or given twice"):
        make_cubes([source], tmp_path / "out", channels=["field", "field"])
