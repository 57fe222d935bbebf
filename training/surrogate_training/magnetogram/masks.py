"""Cells without data: off the limb, or blank in the file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def data_weight(u: Array) -> Array:
    """Where all channels of a state, or of several, have a value.

    Parameters
    ----------
    u : ndarray, shape (..., C, ny, nx)
        NaN where there is no data.

    Returns
    -------
    ndarray, float32, shape (1, ny, nx)
        1 where every channel of every state is finite, else 0: the weight of losses and scores.
    """
    finite = np.isfinite(u).reshape(-1, *u.shape[-2:])  # (..., C, ny, nx) -> (frames * C, ny, nx)
    return np.asarray(finite.all(axis=0, keepdims=True), np.float32)


def fill(u: Array, values: NDArray[np.float64]) -> Array:
    """Replace NaN by one value a channel, the one that the net was trained with.

    Parameters
    ----------
    u : ndarray, shape (..., C, ny, nx)
        A state, or several.
    values : ndarray, shape (C,)
        In the unit of `u`.
    """
    return np.where(np.isfinite(u), u, values.astype(u.dtype)[:, None, None])


def blank(u: Array, weight: Array) -> Array:
    """NaN where the weight (1, ny, nx) is 0."""
    return np.where(weight > 0, u, np.float32(np.nan)).astype(np.float32)


def off_limb(
    longitude: NDArray[np.float64], latitude: NDArray[np.float64], *, meridian: float, limit: float
) -> NDArray[np.bool_]:
    """Cells farther than `limit` from the middle of the disc, seen from above the equator.

    Parameters
    ----------
    longitude, latitude : ndarray, shapes (nx,) and (ny,)
        Degrees.
    meridian : float
        Longitude of the central meridian, degrees.
    limit : float
        Heliocentric angle in degrees; 90 is the limb.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
    """
    away = np.deg2rad(longitude - meridian)
    cosine = (
        np.cos(np.deg2rad(latitude))[:, None] * np.cos(away)[None, :]
    )  # of the heliocentric angle
    return np.asarray(cosine < np.cos(np.deg2rad(limit)))
