"""FITS images: every storage gives the same float32 values, and damage is an error."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from jsoc import sharp_header, spot, write_segment
from surrogate_training.magnetogram.images import find_images, read_header, read_image, write_image

from surrogate.errors import CorruptError, NotFoundError


@pytest.mark.parametrize(
    ("stored", "within"), [("int32", 0.006), (">f4", 0), ("<f8", 0), (">i2", 0.5)]
)
def test_every_storage_is_read_as_native_float32(
    tmp_path: Path, stored: str, within: float
) -> None:
    u = spot() if within < 0.1 else np.rint(spot())
    image = read_image(write_segment(tmp_path, u, sharp_header(), stored=stored))
    assert image.data.dtype == np.dtype("=f4")
    np.testing.assert_allclose(image.data, u, atol=within)
    assert image.header["HARPNUM"] == 377


def test_blank_pixels_are_nan_and_come_back_as_blank(tmp_path: Path) -> None:
    u = spot()
    u[3, 5] = np.nan
    image = read_image(write_segment(tmp_path, u, sharp_header()))
    assert np.argwhere(np.isnan(image.data)).tolist() == [[3, 5]]
    write_image(tmp_path / "again.fits", image.data, image.header, stored="int32")
    again = read_image(tmp_path / "again.fits")
    np.testing.assert_allclose(again.data, u, atol=0.006)
    assert read_header(tmp_path / "again.fits")["BLANK"] == -(2**31)


def test_offsets_of_unsigned_integers_are_applied(tmp_path: Path) -> None:
    from astropy.io import fits

    fits.PrimaryHDU(np.full((4, 4), 40000, np.uint16)).writeto(tmp_path / "u.fits")
    assert read_image(tmp_path / "u.fits").data.max() == 40000


def test_a_gzipped_file_is_read_as_any_other(tmp_path: Path) -> None:
    plain = write_segment(tmp_path, spot(), sharp_header(), stored=">f4")
    packed = tmp_path / "packed.fits.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    np.testing.assert_array_equal(read_image(packed).data, spot())


def test_keywords_of_the_primary_header_are_found(tmp_path: Path) -> None:
    from astropy.io import fits

    first = fits.PrimaryHDU()
    first.header["HARPNUM"] = 12
    fits.HDUList([first, fits.ImageHDU(np.ones((4, 4), np.float32))]).writeto(tmp_path / "e.fits")
    assert read_header(tmp_path / "e.fits")["HARPNUM"] == 12


@pytest.mark.parametrize("keep", [100, 2000, 4000])
def test_a_truncated_file_is_an_error_that_names_it(tmp_path: Path, keep: int) -> None:
    path = write_segment(tmp_path, spot(), sharp_header(), stored="float32")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CorruptError, match=r"Br\.fits: cannot be read as FITS"):
        read_image(path)


def test_what_is_no_fits_or_holds_no_image_is_refused(tmp_path: Path) -> None:
    from astropy.io import fits

    (tmp_path / "text.fits").write_text("SIMPLE, but no FITS")
    fits.PrimaryHDU().writeto(tmp_path / "empty.fits")
    for name in ("text", "empty"):
        with pytest.raises(CorruptError, match=name):
            read_image(tmp_path / f"{name}.fits")
    with pytest.raises(NotFoundError, match="no FITS file"):
        find_images(
            [tmp_path.joinpath("none")] if (tmp_path / "none").mkdir() else [tmp_path / "none"]
        )


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from astropy.io import fits

    path = tmp_path / "a.fits"
    write_image(path, spot(), fits.Header())
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        path.with_name("a.fits.partial").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fits.HDUList, "writeto", full)
    with pytest.raises(OSError, match="No space"):
        write_image(path, spot(seed=1), fits.Header())
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.fits"]
