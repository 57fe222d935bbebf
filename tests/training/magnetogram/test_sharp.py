"""Maps of a solver as SHARP-like files: the right cells, at the right place and time."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from jsoc import write_maps
from surrogate_training.magnetogram.images import read_image
from surrogate_training.magnetogram.keywords import unsigned_flux
from surrogate_training.magnetogram.maps import Map, cut_boxes
from surrogate_training.magnetogram.sharp import SharpOptions, write_all_sharps, write_sharps
from surrogate_training.magnetogram.wcs import carrington_extent

from surrogate.errors import ArgumentError, CorruptError, FieldError
from surrogate.io.frames import open_frames


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_maps(tmp_path_factory.mktemp("maps") / "maps.h5", nx=64)


@pytest.fixture(scope="module")
def files(maps: Path) -> Path:
    out = maps.parent / "sharp"
    report = write_sharps(maps, out, SharpOptions(size=16))
    assert (report.regions, report.frames, len(report.files)) == (8, 3, 8 * 3 * 6)
    return out


def test_a_file_holds_the_cells_of_its_box(maps: Path, files: Path) -> None:
    # the second band's third region: rows 16 to 31, columns 32 to 47
    image = read_image(files / "sim.sharp_car.900007.20110212_040000_TAI.Vlon_mean.fits")
    with open_frames(maps) as frames:
        expected = frames.read("vlon_mean", 1, 2)[0, 16:32, 32:48]
    np.testing.assert_array_equal(image.data, expected)
    assert image.header["BUNIT"] == "m/s"


def test_the_wcs_says_where_the_box_lies(files: Path) -> None:
    path = next(files.glob("*.900007.*.Br.fits"))
    header = read_image(path).header
    e = carrington_extent(header, (16, 16), path)
    assert (e.west, e.width) == pytest.approx((180.0, 90.0))
    assert (e.south, e.north) == pytest.approx((0.0, 45.0))
    assert (header["LAT_MIN"], header["LAT_MAX"]) == pytest.approx((0.0, 45.0))
    assert header["LON_MAX"] - header["LON_MIN"] == pytest.approx(90.0)
    # from the central meridian
    assert (header["LON_MIN"] + header["CRLN_OBS"]) % 360 == pytest.approx(180.0)


def test_keywords_are_those_of_a_sharp(files: Path) -> None:
    header = read_image(files / "sim.sharp_car.900001.20110212_080000_TAI.Br.fits").header
    expected = {
        "HARPNUM": 900001,
        "NOAA_AR": 0,
        "NOAA_ARS": "MISSING",
        "T_REC": "2011.02.12_08:00:00_TAI",
        "DATE-OBS": "2011-02-12T07:59:26.000Z",
        "CADENCE": 14400.0,
        "BUNIT": "Mx/cm^2",
        "WCSNAME": "Carrington Heliographic",
        "TELESCOP": "flux_transport",
    }
    assert {key: header[key] for key in expected} == expected


def test_the_unsigned_flux_of_a_whole_uniform_sphere_is_b_times_its_area() -> None:
    whole = Map(longitude=np.arange(0.5, 360), latitude=np.arange(-89.5, 90))
    flux = unsigned_flux(np.full((180, 360), -2.0, np.float32), whole)
    assert flux == pytest.approx(2 * 4 * np.pi * 6.957e10**2, rel=1e-6)


def test_compressed_integers_keep_hundredths_of_a_gauss(
    maps: Path, files: Path, tmp_path: Path
) -> None:
    options = SharpOptions(size=16, sectors=1, bands=1, stored="int32", fields=("br",))
    report = write_sharps(maps, tmp_path, options)
    assert len(report.files) == 3
    with open_frames(maps) as frames:
        expected = frames.read("br", 0, 1)[0, 8:24, 24:40]
    np.testing.assert_allclose(read_image(report.files[0]).data, expected, atol=0.0051)


def test_boxes_stand_in_the_middle_of_their_share_and_never_overlap() -> None:
    boxes = cut_boxes((40, 100), 10, sectors=4, bands=2)
    assert [b.column for b in boxes[:4]] == [7, 32, 57, 82]
    assert [boxes[0].row, boxes[4].row] == [5, 25]
    with pytest.raises(ArgumentError, match="11 sectors of 10 cells do not fit 100 cells"):
        cut_boxes((40, 100), 10, sectors=11)
    with pytest.raises(ArgumentError, match="choose at most 0, or a smaller --size"):
        cut_boxes((40, 100), 64)
    with pytest.raises(ArgumentError, match="--size 1: expected at least 2"):
        cut_boxes((40, 100), 1)


def test_cells_off_the_limb_are_nan_and_unseen_regions_left_out(maps: Path, tmp_path: Path) -> None:
    report = write_sharps(maps, tmp_path, SharpOptions(size=8, bands=2, limb=80.0, fields=("br",)))
    # the far side, and regions that the limb passes while the Sun turns
    assert report.unseen > 0
    assert len(report.files) + report.unseen == 16 * 3
    masked = [np.isnan(read_image(p).data).mean() for p in report.files]
    assert min(masked) == 0.0
    assert 0.0 < max(masked) < 1.0


def test_what_the_recording_lacks_is_told(maps: Path, tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="no field 'b_r'"):
        write_sharps(maps, tmp_path, SharpOptions(size=16, fields=("b_r",)))
    with pytest.raises(FieldError, match="no field br among vlon"):
        write_sharps(maps, tmp_path, SharpOptions(size=16, fields=("vlon",)))
    (tmp_path / "bad.h5").write_bytes(b"\x89HDF\r\n\x1a\n but cut")
    with pytest.raises(CorruptError, match=r"bad\.h5"):
        write_sharps(tmp_path / "bad.h5", tmp_path)


def test_two_recordings_of_one_time_are_refused(maps: Path, tmp_path: Path) -> None:
    options = SharpOptions(size=16, sectors=1, bands=1, fields=("br",))
    with pytest.raises(ArgumentError, match=r"both have the frame of sim\.sharp_car\.900001"):
        write_all_sharps([maps, maps], tmp_path, options)
    assert len(write_all_sharps([maps], tmp_path, options).files) == 3


def test_a_start_time_may_be_given(maps: Path, tmp_path: Path) -> None:
    options = SharpOptions(
        size=16, sectors=1, bands=1, fields=("br",), start=datetime(2021, 12, 27)
    )
    report = write_sharps(maps, tmp_path, options)
    assert report.files[0].name == "sim.sharp_car.900001.20211227_000000_TAI.Br.fits"
