"""The numbers that every frame gets, field by field: the columns of ``metrics.csv``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate_training.metrics import conservation, errors
from surrogate_training.metrics.spectrum import (
    BANDS,
    Spectrum,
    band_ratios,
    isotropic_spectrum,
    spectrum_error,
)
from surrogate_training.metrics.ssim import ssim

Array = NDArray[np.float64]

DEFINITIONS = {
    "mse": "mean over cells of (prediction - truth)²",
    "rmse": "root of mse",
    "relative_l2": "|prediction - truth| / |truth|, Euclidean norms over cells",
    "vrmse": "sqrt(mse / variance of the truth over cells); the truth's own mean scores 1",
    "mae": "mean over cells of |prediction - truth|",
    "max_error": "largest |prediction - truth| of a cell",
    "correlation": "Pearson's, over cells",
    "ssim": "Wang et al. 2004, Gaussian window of 11 x 11 cells (deviation 1.5), data range of the true frame",
    "spectrum_error": "mean of |ln(E_prediction / E_truth)| over the upper third of wavenumbers; E: isotropic "
    "spectrum, Hann window along axes that are not periodic",
    "spectrum_low": "E_prediction / E_truth, lower third of wavenumbers",
    "spectrum_middle": "E_prediction / E_truth, middle third of wavenumbers",
    "spectrum_high": "E_prediction / E_truth, upper third of wavenumbers",
    "drift": "|integral of the prediction - integral at t1| / integral of |u(t1)|",
}
"""What each number is, of one pair and one field; a report's are means over pairs."""

METRICS = tuple(DEFINITIONS)
DIMENSIONS = {"mse": 2, "rmse": 1, "mae": 1, "max_error": 1}
"""Numbers in a power of the field's unit; the others have none."""
BEST = {"correlation": 1.0, "ssim": 1.0, **{f"spectrum_{band}": 1.0 for band in BANDS}}
"""What a perfect prediction has, where it is not 0."""

_CELLWISE: dict[str, Callable[..., Any]] = {
    "mse": errors.mse,
    "rmse": errors.rmse,
    "relative_l2": errors.relative_l2,
    "vrmse": errors.vrmse,
    "mae": errors.mae,
    "max_error": errors.max_error,
    "correlation": errors.correlation,
    "ssim": ssim,
}


class Reference:
    """A true field at t2, with what every method's scores need of it.

    Parameters
    ----------
    truth, before : ndarray, shape (ny, nx)
        At t2 and at t1.
    weight : ndarray, shape (ny, nx), optional
        0 where data is missing.
    spacing, periodic : (y, x)
        Of the grid.
    """

    def __init__(
        self,
        truth: Array,
        before: Array,
        weight: Array | None,
        *,
        spacing: tuple[float, float],
        periodic: tuple[bool, bool],
    ) -> None:
        self.truth, self.before, self.weight = truth, before, weight
        self._spacing, self._periodic = spacing, periodic
        self.spectrum = self.spectrum_of(truth)

    def spectrum_of(self, u: Array) -> Spectrum:
        """Spectrum of a field on the same cells."""
        return isotropic_spectrum(
            u, spacing=self._spacing, periodic=self._periodic, weight=self.weight
        )

    def score(self, predicted: Array) -> tuple[Array, Spectrum]:
        """The numbers of a prediction, in the order of ``METRICS``, and its spectrum."""
        values = {
            name: metric(predicted, self.truth, self.weight) for name, metric in _CELLWISE.items()
        }
        spectrum = self.spectrum_of(predicted)
        values["spectrum_error"] = spectrum_error(spectrum, self.spectrum)
        ratios = band_ratios(spectrum, self.spectrum)
        values |= {f"spectrum_{band}": ratio for band, ratio in ratios.items()}
        values["drift"] = np.abs(conservation.drift(predicted, self.before, self.weight))
        return np.array([float(values[name]) for name in METRICS]), spectrum
