"""Keywords of HMI's SHARP series (Bobra et al. 2014, Solar Physics 289, 3549), for regions of a simulation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np

from surrogate.io.tai import format_time, utc_text
from surrogate_training.magnetogram.images import Array
from surrogate_training.magnetogram.maps import Map

_ROTATION = 360 / 27.2753  # degrees a day, of the central meridian against Carrington's grid
_RADIUS = 6.957e10  # cm, the Sun's nominal radius (IAU 2015 resolution B3)


def unsigned_flux(br: Array, place: Map) -> float:
    """Total unsigned flux in Mx: ∑ |Br| dA over the cells with data.

    A cell at latitude φ has the area R² Δλ (sin(φ + Δφ/2) - sin(φ - Δφ/2)).
    """
    dlat, dlon = np.deg2rad(place.spacing)
    edges = np.deg2rad(place.latitude)[:, None] + np.array([-0.5, 0.5]) * dlat  # (ny, 2)
    area = _RADIUS**2 * dlon * np.diff(np.sin(edges), axis=1)  # (ny, 1)
    return float(np.nansum(np.abs(br) * area))


def central_meridian(whole: Map, hours: float) -> float:
    """Carrington longitude below the observer, so many hours after it was the middle of the map."""
    middle = (whole.longitude[0] + whole.longitude[-1]) / 2
    return float((middle - _ROTATION * hours / 24) % 360)


def sharp_cards(
    harp: int, place: Map, *, time: datetime, cadence: float, meridian: float
) -> Iterator[tuple[str, Any, str]]:
    """Keywords that all segments of a region share.

    Parameters
    ----------
    harp : int
        Number of the region.
    place : Map
        Its cells.
    time : datetime
        TAI.
    cadence : float
        Seconds between frames.
    meridian : float
        Carrington longitude below the observer, degrees.
    """
    latitude, longitude = place.latitude, place.longitude
    dlat, dlon = place.spacing
    centre = float((longitude[0] + longitude[-1]) / 2)
    away = (centre - meridian + 180) % 360 - 180  # from the central meridian
    half = dlon * len(longitude) / 2
    yield "TELESCOP", "flux_transport", "a simulation"
    yield "INSTRUME", "SIMULATION", ""
    yield "ORIGIN", "surrogate", ""
    yield "HARPNUM", harp, "number of the region; 900001 and above: simulated"
    yield "NOAA_AR", 0, "none"
    yield "NOAA_NUM", 0, ""
    yield "NOAA_ARS", "MISSING", ""
    yield "T_REC", format_time(time), ""
    yield "T_OBS", format_time(time), ""
    yield "DATE-OBS", utc_text(time), "UTC"
    yield "CADENCE", cadence, "[s]"
    yield "QUALITY", 0, ""
    yield "WCSNAME", "Carrington Heliographic", ""
    yield "CTYPE1", "CRLN-CAR", "plate carree"
    yield "CTYPE2", "CRLT-CAR", ""
    yield "CUNIT1", "degree", ""
    yield "CUNIT2", "degree", ""
    yield "CRPIX1", (len(longitude) + 1) / 2, "middle of the region"
    # a plate carrée is only then one of latitude when its reference lies on the equator (Calabretta & Greisen 2002)
    yield "CRPIX2", float(1 - latitude[0] / dlat), "the equator"
    yield "CRVAL1", centre % 360, ""
    yield "CRVAL2", 0.0, ""
    yield "CDELT1", dlon, ""
    yield "CDELT2", dlat, ""
    yield "CROTA2", 0.0, ""
    yield "CRLN_OBS", meridian, "[deg] of the central meridian"
    yield "CRLT_OBS", 0.0, "[deg]"
    yield "LON_MIN", away - half, "[deg] from the central meridian"
    yield "LON_MAX", away + half, "[deg]"
    yield "LAT_MIN", float(latitude[0]) - dlat / 2, "[deg]"
    yield "LAT_MAX", float(latitude[-1]) + dlat / 2, "[deg]"
