"""Small files like JSOC's: SHARP segments with their headers, stored as JSOC stores them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from surrogate.recorder import Recorder

START = datetime(2011, 2, 12)
BLANK = -(2**31)
SEGMENTS = ("Br", "Bt", "Bp")


def t_rec(hours: float) -> str:
    """T_REC so many hours after the first frame."""
    return f"{START + timedelta(hours=hours):%Y.%m.%d_%H:%M:%S}_TAI"


def sharp_header(harp: int = 377, hours: float = 0.0, n: int = 32, **more: Any) -> dict[str, Any]:
    """Keywords of a CEA cutout of n × n pixels; `more` replaces them, and None removes one."""
    cards = {
        "TELESCOP": "SDO/HMI",
        "INSTRUME": "HMI_SIDE1",
        "HARPNUM": harp,
        "NOAA_AR": 11158 if harp == 377 else 0,
        "NOAA_NUM": 1 if harp == 377 else 0,
        "NOAA_ARS": "11158" if harp == 377 else "MISSING",
        "T_REC": t_rec(hours),
        "T_OBS": t_rec(hours),
        "DATE-OBS": "2011-02-11T23:59:24.00Z",
        "CADENCE": 720.0,
        "BUNIT": "Mx/cm^2",
        "WCSNAME": "Carrington Heliographic",
        "CTYPE1": "CRLN-CEA",
        "CTYPE2": "CRLT-CEA",
        "CUNIT1": "degree",
        "CUNIT2": "degree",
        "CRPIX1": (n + 1) / 2,
        "CRPIX2": (n + 1) / 2,
        # regions side by side, 10 degrees apart
        "CRVAL1": (36.0 + 10.0 * (harp - 377)) % 360,
        "CRVAL2": -20.0,
        "CDELT1": 0.03,
        "CDELT2": 0.03,
        "CROTA2": 0.0,
        "CRLN_OBS": 40.0,
        "USFLUX": 1.5e22,
        "MEANGAM": 30.0,
        "DATAMIN": -1.0,
        "SEGMENT": "Br",
        **more,
    }
    return {key: value for key, value in cards.items() if value is not None}


def spot(n: int = 32, hours: float = 0.0, sign: float = 1.0, seed: int = 0) -> np.ndarray:
    """A pair of polarities that drift apart, with a little noise, float32 (n, n) in gauss."""
    y, x = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    middle, away = (n - 1) / 2, 4 + 0.25 * hours
    noise = np.random.default_rng([seed, round(10 * hours)]).normal(0, 5, (n, n))

    def blob(x0: float) -> np.ndarray:
        return np.exp(-((x - x0) ** 2 + (y - middle) ** 2) / 18)

    return (sign * 800 * (blob(middle - away) - blob(middle + away)) + noise).astype(np.float32)


def write_segment(
    folder: Path,
    data: np.ndarray,
    header: dict[str, Any],
    segment: str = "Br",
    *,
    stored: str = "int32",
    name: str | None = None,
) -> Path:
    """One file: ``int32`` is compressed by RICE in extension 1 with BSCALE and BLANK, as JSOC's; else a plain float."""
    from astropy.io import fits

    folder.mkdir(parents=True, exist_ok=True)
    stamp = str(header.get("T_REC", t_rec(0))).replace(".", "").replace(":", "")
    path = folder / (
        name or f"hmi.sharp_cea_720s.{header.get('HARPNUM', 377)}.{stamp}.{segment}.fits"
    )
    if stored == "int32":
        numbers = np.where(np.isnan(data), BLANK, np.rint(np.nan_to_num(data) / 0.01))
        image = fits.CompImageHDU(
            numbers.astype(np.int32), fits.Header(header), compression_type="RICE_1"
        )
        image.header.update({"BSCALE": 0.01, "BZERO": 0.0, "BLANK": BLANK})
        fits.HDUList([fits.PrimaryHDU(), image]).writeto(path)
    else:
        fits.PrimaryHDU(data.astype(stored), fits.Header(header)).writeto(path)
    return path


def write_series(
    folder: Path,
    harps: tuple[int, ...] = (377,),
    times: tuple[float, ...] = (0.0, 4.0, 8.0),
    *,
    n: int = 32,
    segments: tuple[str, ...] = SEGMENTS,
    stored: str = "int32",
    **keywords: Any,
) -> Path:
    """Segments of several regions at several times; the top left corner is off the limb."""
    for harp in harps:
        for hours in times:
            for k, segment in enumerate(segments):
                data = spot(n, hours, sign=1 - 0.3 * k, seed=100 * harp + k)
                data[:3, :3] = np.nan
                header = sharp_header(harp, hours, n, **keywords)
                write_segment(folder, data, header, segment, stored=stored)
    return folder


def write_maps(path: Path, *, frames: int = 3, ny: int = 32, nx: int = 128) -> Path:
    """Maps of a solver in The Well's layout: the whole circle, latitudes from -45 to 45 degrees."""
    names = ("br", "vlon", "vlat", "vlon_mean", "vlat_mean", "source")
    units = {name: {"b": "G", "v": "m/s", "s": "G/h"}[name[0]] for name in names}
    rng = np.random.default_rng(1)
    dlat, dlon = 90 / ny, 360 / nx
    with Recorder(
        path,
        units=units,
        time_unit="h",
        length_unit="deg",
        spacing=[dlat, dlon],
        origin=[-45 + dlat / 2, dlon / 2],
        parameters={"start_time": (START - datetime(1977, 1, 1)).total_seconds()},
        boundary=["open", "periodic"],
    ) as recorder:
        for k in range(frames):
            fields = {name: rng.normal(0, 50, (ny, nx)).astype(np.float32) for name in names}
            recorder.write(4.0 * k, fields)
    return path
