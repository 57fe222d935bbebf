"""Region, time and units: the header first, the name second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsoc import sharp_header
from surrogate_training.magnetogram.headers import PATTERN, identify

from surrogate.errors import ArgumentError, CorruptError, FieldError
from surrogate.io.tai import format_time
from surrogate.io.units import canonical_unit, same_unit

NAME = Path("hmi.sharp_cea_720s.401.20110301_120000_TAI.Bp.fits")
OTHER = Path("frame.fits")


def region(path: Path = OTHER, **keywords: Any) -> str:
    return identify(_header(**keywords), path).region


def time(path: Path = OTHER, **keywords: Any) -> str:
    return format_time(identify(_header(**keywords), path).time)


def _header(**keywords: Any) -> Any:
    from astropy.io import fits

    return fits.Header(sharp_header(**keywords))


def test_regions_are_named_by_harp_then_noaa_then_the_files_name() -> None:
    assert region() == "harp377"
    assert region(HARPNUM=None) == "noaa11158"
    assert region(HARPNUM=0, NOAA_AR=0, NOAA_ARS="11162,11163") == "noaa11162"
    none = {"HARPNUM": None, "NOAA_AR": 0, "NOAA_ARS": "MISSING"}
    assert region(NAME, **none) == "harp401"
    with pytest.raises(FieldError, match=r"frame.fits: no HARPNUM.*--pattern"):
        region(**none)


def test_all_names_of_a_region_are_known() -> None:
    found = identify(_header(NOAA_ARS="11158,11159"), OTHER)
    assert found.aliases == {"harp377", "noaa11158", "noaa11159"}


def test_times_come_from_t_rec_then_observation_then_the_files_name() -> None:
    assert time() == "2011.02.12_00:00:00_TAI"
    assert time(T_REC=None, T_OBS="2011.02.12_00:00:04_TAI") == "2011.02.12_00:00:04_TAI"
    # UTC, 34 seconds behind
    assert time(T_REC=None, T_OBS=None) == "2011.02.11_23:59:58_TAI"
    assert time(NAME, T_REC=None, T_OBS=None, **{"DATE-OBS": None}) == "2011.03.01_12:00:00_TAI"
    with pytest.raises(FieldError, match=r"frame.fits: no T_REC.*--pattern"):
        time(T_REC=None, T_OBS=None, **{"DATE-OBS": None})


def test_a_pattern_of_ones_own_names_region_and_time() -> None:
    pattern = r"AR(?P<noaa>\d+)_(?P<time>\d{8}_\d{6})\.fits"
    header = _header(HARPNUM=None, NOAA_AR=None, NOAA_ARS=None, T_REC=None, T_OBS=None)
    del header["DATE-OBS"]
    found = identify(header, Path("AR11158_20110212_040000.fits"), pattern=pattern)
    assert (found.region, found.time.hour) == ("noaa11158", 4)


def test_segments_are_read_from_names() -> None:
    assert identify(_header(), NAME).segment == "Bp"
    assert identify(_header(), OTHER).segment == ""


@pytest.mark.parametrize(
    ("keywords", "message"),
    [({"HARPNUM": "many"}, "HARPNUM = 'many'"), ({"T_REC": "yesterday"}, "T_REC = 'yesterday'")],
)
def test_a_keyword_that_means_nothing_is_an_error(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(CorruptError, match=message):
        identify(_header(**keywords), OTHER)


def test_a_broken_pattern_is_told() -> None:
    with pytest.raises(ArgumentError, match="no regular expression"):
        identify(_header(), OTHER, pattern=PATTERN + "(")


def test_spellings_of_gauss_are_one_unit() -> None:
    spellings = ("Mx/cm^2", "Gauss", "G", "gauss", "Mx cm-2", "Mx/cm2", "Mx cm**-2")
    assert {canonical_unit(u) for u in spellings} == {"G"}
    assert same_unit("Mx/cm^2/h", "G/h")
    assert not same_unit("G", "g")  # grams
    assert not same_unit("mT", "T")
