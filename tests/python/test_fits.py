"""Frames in FITS: images, extensions, cubes of channels, scaling, blanks, compression, damage."""

from __future__ import annotations

import numpy as np
import pytest

from surrogate.errors import CorruptError, FieldError, ShapeError
from surrogate.io.frames import open_frames

fits = pytest.importorskip("astropy.io.fits")
pytestmark = pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyUserWarning")
RNG = np.random.default_rng(2)
CUBE = RNG.normal(size=(3, 6, 8)).astype("f4")
NAMES = ("Br", "Vlon", "Vlat")


def _header(**more):
    header = fits.Header()
    header.update({f"CHAN{k + 1}": name for k, name in enumerate(NAMES)})
    header.update({"BUNIT": "m/s", "CHUNIT1": "G", "T_REC": "2011.02.16_08:00:00_TAI"})
    header.update({"HARPNUM": 377, "CDELT1": -0.03, "CDELT2": 0.03, "TELESCOP": "SDO/HMI", **more})
    return header


def test_channels_of_a_cube_by_name_and_by_number(tmp_path):
    fits.PrimaryHDU(CUBE, _header()).writeto(tmp_path / "a.fits")
    with open_frames(tmp_path / "a.fits") as frames:
        assert (frames.names, frames.shape, frames.frames) == (NAMES, (6, 8), 1)
        assert [frames.unit(name) for name in NAMES] == ["G", "m/s", "m/s"]
        assert (frames.time_unit, frames.spacing) == ("h", (0.03, 0.03))
        # 41 years with 11 leap days, to 16 February 08:00
        assert frames.times() == pytest.approx([24 * (41 * 365 + 10 + 46) + 8])
        assert frames.constants["HARPNUM"] == 377
        for k, name in enumerate(NAMES):
            np.testing.assert_array_equal(frames.read(name, 0, 1)[0], CUBE[k])
            np.testing.assert_array_equal(frames.read(f"cube[{k}]", 0, 1)[0], CUBE[k])
        np.testing.assert_array_equal(frames.read("cube", 0, 1)[0], CUBE)
        with pytest.raises(FieldError, match=r"no field 'br'; did you mean 'Br'"):
            frames.read("br", 0, 1)
        with pytest.raises(FieldError, match=r"cube\[3\]; cube has 3"):
            frames.read("cube[3]", 0, 1)


def test_one_image_and_an_image_an_extension(tmp_path):
    fits.PrimaryHDU(CUBE[0]).writeto(tmp_path / "one.fits")
    with open_frames(tmp_path / "one.fits") as frames:
        assert frames.names == ("image",)
        np.testing.assert_array_equal(frames.read("image", 0, 1)[0], CUBE[0])
    parts = [fits.ImageHDU(CUBE[k], name=name.upper()) for k, name in enumerate(NAMES)]
    primary = fits.PrimaryHDU(header=fits.Header({"T_REC": "2011.02.16_08:00:00_TAI"}))
    fits.HDUList([primary, *parts]).writeto(tmp_path / "many.fits")
    with open_frames(tmp_path / "many.fits") as frames:
        assert frames.names == ("BR", "VLON", "VLAT")
        np.testing.assert_array_equal(frames.read("VLAT", 0, 1)[0], CUBE[2])
        assert frames.times()[0] > 0
    parts[1] = fits.ImageHDU(CUBE[1, :4], name="VLON")
    fits.HDUList([primary, *parts]).writeto(tmp_path / "many.fits", overwrite=True)
    with pytest.raises(ShapeError, match=r"BR has \(6, 8\).*VLON has \(4, 8\)"):
        open_frames(tmp_path / "many.fits")


def test_a_cube_over_time(tmp_path):
    axis = {"CTYPE3": "TIME", "CRVAL3": 100.0, "CDELT3": 4.0, "CRPIX3": 1.0, "CUNIT3": "h"}
    fits.PrimaryHDU(CUBE, fits.Header(axis)).writeto(tmp_path / "a.fits")
    with open_frames(tmp_path / "a.fits") as frames:
        assert (frames.frames, frames.time_unit) == (3, "h")
        np.testing.assert_array_equal(frames.times(), [100, 104, 108])
        np.testing.assert_array_equal(frames.read("image", 1, 3), CUBE[1:])


def test_a_date_in_utc_is_converted(tmp_path):
    header = fits.Header(
        {"DATE-OBS": "2011-02-16T07:59:26.000"}
    )  # 34 leap seconds before 08:00 TAI
    fits.PrimaryHDU(CUBE[0], header).writeto(tmp_path / "utc.fits")
    fits.PrimaryHDU(CUBE, _header()).writeto(tmp_path / "tai.fits")
    times = []
    for name in ("utc.fits", "tai.fits"):
        with open_frames(tmp_path / name) as frames:
            times.append(frames.times()[0])
    assert times[0] == pytest.approx(times[1], abs=1e-6)


def test_a_gzipped_file(tmp_path):
    fits.PrimaryHDU(CUBE, _header()).writeto(tmp_path / "a.fits.gz")
    with open_frames(tmp_path / "a.fits.gz") as frames:
        np.testing.assert_array_equal(frames.read("Vlat", 0, 1)[0], CUBE[2])
    whole = (tmp_path / "a.fits.gz").read_bytes()
    (tmp_path / "a.fits.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptError, match=r"a\.fits\.gz"):
        _read_first(tmp_path / "a.fits.gz")


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4"])
def test_scaled_integers_and_blanks(tmp_path, dtype, *, compressed):
    stored = (RNG.random((6, 8)) * 100).astype(dtype)
    stored[2, 3] = 0  # a blank of zero is a blank
    kind = fits.CompImageHDU if compressed else fits.ImageHDU
    image = kind(stored)
    image.header.update({"BSCALE": 0.1, "BZERO": -5.0, "BLANK": 0})
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(tmp_path / "a.fits")
    with open_frames(tmp_path / "a.fits") as frames:
        read = frames.read("image", 0, 1)[0]
        assert read.dtype == frames.dtype("image") == ("f8" if dtype == "i4" else "f4")
        np.testing.assert_array_equal(np.isnan(read), stored == 0)
        np.testing.assert_allclose(read[stored != 0], 0.1 * stored[stored != 0] - 5, rtol=2e-6)


@pytest.mark.parametrize("dtype", ["u2", "u4", "i1", "i2", "f4", "f8"])
def test_types_are_kept_in_native_byte_order(tmp_path, dtype):
    values = (RNG.random((6, 8)) * 200 - (0 if dtype[0] == "u" else 100)).astype(dtype)
    fits.PrimaryHDU(values).writeto(tmp_path / "a.fits")
    with open_frames(tmp_path / "a.fits") as frames:
        read = frames.read("image", 0, 1)[0]
        assert read.dtype == frames.dtype("image") == np.dtype(dtype)
        assert read.dtype.isnative
        np.testing.assert_array_equal(read, values)


def test_compressed_floats_and_a_compressed_cube(tmp_path):
    image = fits.CompImageHDU(CUBE, _header(), compression_type="GZIP_1", quantize_level=0)
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(tmp_path / "a.fits.fz")
    with open_frames(tmp_path / "a.fits.fz") as frames:
        assert frames.names == NAMES
        np.testing.assert_array_equal(frames.read("Vlon", 0, 1)[0], CUBE[1])


def _read_first(path):
    with open_frames(path) as frames:
        frames.read(frames.names[0], 0, 1)


@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_files_are_named(tmp_path, *, compressed):
    path = tmp_path / "a.fits"
    image = fits.CompImageHDU(CUBE) if compressed else fits.ImageHDU(np.repeat(CUBE, 40, axis=0))
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path)
    whole = path.read_bytes()
    for content in (b"", b"nonsense" * 400, whole[:100], whole[:2880], whole[: len(whole) - 2880]):
        path.write_bytes(content)
        with pytest.raises(CorruptError, match=r"a.fits") as caught:
            _read_first(path)
        assert "\n" not in str(caught.value)


def test_a_time_that_cannot_be_read_says_which(tmp_path):
    fits.PrimaryHDU(CUBE[0], fits.Header({"T_REC": "2011.02.30_08:00_TAI"})).writeto(
        tmp_path / "a.fits"
    )
    with pytest.raises(CorruptError, match=r"a\.fits: T_REC: '2011\.02\.30"):
        open_frames(tmp_path / "a.fits")
