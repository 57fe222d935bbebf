"""Extents in Carrington longitude, on the circle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsoc import sharp_header
from surrogate_training.magnetogram.sectors import take_sector
from surrogate_training.magnetogram.wcs import Extent, carrington_extent

from surrogate.errors import ArgumentError, FieldError

HERE = Path("here.fits")


def extent(shape: tuple[int, int] = (100, 200), **keywords: Any) -> Extent:
    from astropy.io import fits

    return carrington_extent(fits.Header(sharp_header(n=0, **keywords)), shape, HERE)


def test_a_plate_carree_covers_what_its_pixels_count() -> None:
    car = {"CTYPE1": "CRLN-CAR", "CTYPE2": "CRLT-CAR", "CRVAL2": 0.0, "CDELT1": 0.1, "CDELT2": 0.1}
    e = extent(CRPIX1=100.5, CRPIX2=-99.5, CRVAL1=5.0, **car)
    assert (e.west, e.width) == pytest.approx((355.0, 20.0))
    assert (e.south, e.north) == pytest.approx((10.0, 20.0))


def test_a_cea_patch_far_from_the_equator_is_wider_than_its_pixels() -> None:
    e = extent(CRPIX1=100.5, CRPIX2=50.5, CRVAL1=100.0, CRVAL2=60.0)
    assert e.centre == pytest.approx(100.0)
    assert 1.9 * 6.0 < e.width < 2.2 * 6.0  # 1 / cos(60°) = 2


def test_without_carrington_axes_the_disc_longitudes_are_used() -> None:
    e = extent(CTYPE1="HPLN-TAN", LON_MIN=-10.0, LON_MAX=15.0, CRLN_OBS=355.0)
    assert (e.west, e.width) == (345.0, 25.0)
    with pytest.raises(FieldError, match=r"here\.fits: no Carrington longitude"):
        extent(CTYPE1="HPLN-TAN")


def test_gaps_and_overlaps_across_the_zero_meridian() -> None:
    a, b, c = Extent(350, 20), Extent(15, 5), Extent(5, 30)
    assert a.gap(b) == b.gap(a) == pytest.approx(5)
    assert a.gap(c) == 0
    assert a.overlaps(c)
    assert not a.overlaps(b)
    assert not Extent(350, 20, 0, 10).overlaps(Extent(350, 20, 10, 20))
    assert Extent(350, 40).contains(Extent(355, 20))
    union = a.union(b)
    assert (union.west, union.width) == (350, 30)


def test_a_sector_takes_whole_columns_and_drops_what_is_within_the_buffer() -> None:
    columns = [Extent(10.0 * k, 10.0, *band) for band in ((-10, 0), (0, 10)) for k in range(36)]
    sector = take_sector(columns, count=8, buffer=5.0, first=70)
    assert len(sector.inside) == 8
    assert len(sector.dropped) == 4
    assert len(sector.outside) == 72 - 12
    for k in sector.outside:
        assert min(columns[k].gap(columns[n]) for n in sector.inside) >= 5


def test_a_region_across_the_sectors_edge_is_dropped_even_without_a_buffer() -> None:
    extents = [Extent(0, 10), Extent(5, 10), Extent(100, 10)]
    sector = take_sector(extents, count=1, buffer=0.0, first=0)
    assert (sector.inside, sector.dropped, sector.outside) == ((0,), (1,), (2,))


def test_a_buffer_that_leaves_nothing_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="leaves no region outside"):
        take_sector([Extent(0, 10), Extent(20, 10)], count=1, buffer=60.0)
