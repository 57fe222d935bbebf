"""The isotropic spectrum of a frame, and how far that of a prediction is from the truth's.

The field is freed of its mean, windowed (Hann) along the axes that are not periodic, and transformed; the power of
all modes whose wavenumber rounds to the same multiple of Δk is summed. Δk is 1 / length of the shorter side, and the
last shell is that of the coarser Nyquist wavenumber, so that every shell is whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

BANDS = ("low", "middle", "high")
ROUNDING = 1e-14
"""Power, relative to the truth's mean square, below which float32 fields hold rounding only."""


@dataclass(frozen=True)
class Spectrum:
    """Power by wavenumber.

    Attributes
    ----------
    wavenumber : ndarray, shape (shells,)
        Cycles per unit length.
    power : ndarray, shape (shells,)
        Sum of |û|² over the shell; over all shells it adds up to the variance of the field (Parseval), windowed ones
        in the mean.
    mean_square : float
        Of the field itself, its mean included.
    """

    wavenumber: Array
    power: Array
    mean_square: float


def isotropic_spectrum(
    u: ArrayLike,
    *,
    spacing: Sequence[float] = (1.0, 1.0),
    periodic: Sequence[bool] = (True, True),
    weight: ArrayLike | None = None,
) -> Spectrum:
    """Spectrum of a frame.

    Parameters
    ----------
    u : array, shape (ny, nx)
    spacing : (dy, dx)
    periodic : (y, x)
        Axes that are not are windowed.
    weight : array, shape (ny, nx), optional
        1 where there is data, 0 where it is missing: the frame is cropped to the rectangle that has data, missing cells
        inside it get the mean; an axis that was cut is not periodic. NaN where there is no data at all.
    """
    field = np.asarray(u, np.float64)
    present = np.ones(field.shape, bool) if weight is None else np.asarray(weight) > 0
    if not present.any():
        return _unknown(field.shape, spacing)
    field, present, periodic = _cropped(field, present, periodic)
    window = np.outer(*(_window(n, p) for n, p in zip(field.shape, periodic, strict=True)))
    window = window * present  # (ny, nx)
    mean_square = float((field**2 * present).sum() / present.sum())
    centred = np.where(present, field - (field * window).sum() / window.sum(), 0.0) * window
    power = np.abs(np.fft.fft2(centred)) ** 2 / field.size**2 / (window**2).mean()  # (ny, nx)
    shell, step, shells = _shells(field.shape, spacing)
    sums = np.bincount(shell.ravel(), power.ravel(), shells + 1)[1 : shells + 1]
    return Spectrum(_wavenumbers(step, shells), np.asarray(sums, np.float64), mean_square)


def spectrum_error(predicted: Spectrum, truth: Spectrum) -> float:
    """Mean of ``|log(E_predicted / E_truth)|`` (natural) over the upper third of wavenumbers."""
    p, t = _floored(predicted, truth)
    high = _bands(len(t))["high"]
    return float(np.abs(np.log(p[high] / t[high])).mean())


def band_ratios(predicted: Spectrum, truth: Spectrum) -> dict[str, float]:
    """Power of the prediction over that of the truth in the lower, middle and upper third of wavenumbers."""
    p, t = _floored(predicted, truth)
    return {name: float(p[band].sum() / t[band].sum()) for name, band in _bands(len(t)).items()}


def _floored(predicted: Spectrum, truth: Spectrum) -> tuple[Array, Array]:
    """Both spectra, nowhere below what rounding makes."""
    floor = max(ROUNDING * truth.mean_square, np.finfo(np.float64).tiny)
    return np.maximum(predicted.power, floor), np.maximum(truth.power, floor)


def _bands(shells: int) -> dict[str, slice]:
    low, middle = round(shells / 3), round(2 * shells / 3)
    return dict(zip(BANDS, (slice(0, low), slice(low, middle), slice(middle, shells)), strict=True))


def _window(n: int, periodic: bool) -> Array:
    """1 along a periodic axis, else the Hann window, zero half a cell outside the frame."""
    return np.ones(n) if periodic else np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2


def _wavenumbers(step: float, shells: int) -> Array:
    return step * np.arange(1, shells + 1, dtype=np.float64)


def _unknown(shape: tuple[int, ...], spacing: Sequence[float]) -> Spectrum:
    """Of a frame without data: NaN."""
    _, step, shells = _shells(shape, spacing)
    return Spectrum(_wavenumbers(step, shells), np.full(shells, np.nan), np.nan)


def _cropped(
    u: Array, present: NDArray[np.bool_], periodic: Sequence[bool]
) -> tuple[Array, NDArray[np.bool_], tuple[bool, ...]]:
    """The rectangle that holds all data; an axis that was cut is not periodic."""
    slices, kept = [], []
    for axis, wraps in enumerate(periodic):
        found = np.flatnonzero(present.any(1 - axis))
        first, last = int(found[0]), int(found[-1]) + 1
        slices.append(slice(first, last))
        kept.append(wraps and last - first == u.shape[axis])
    return u[tuple(slices)], present[tuple(slices)], tuple(kept)


def _shells(
    shape: tuple[int, ...], spacing: Sequence[float]
) -> tuple[NDArray[np.intp], float, int]:
    """Number of the shell of every mode, the shells' distance, and how many of them are whole."""
    ky, kx = (np.fft.fftfreq(n, h) for n, h in zip(shape, spacing, strict=True))
    step = max(1 / (n * h) for n, h in zip(shape, spacing, strict=True))
    shells = int(min(0.5 / h for h in spacing) / step + 1e-9)
    number = np.rint(np.hypot(ky[:, None], kx[None, :]) / step).astype(np.intp)  # (ny, nx)
    # modes of the corners, beyond the coarser Nyquist wavenumber, go into shell 0 with the mean: it is left out
    return np.where(number > shells, 0, number), step, shells
