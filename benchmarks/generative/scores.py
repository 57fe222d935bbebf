"""Scores of predicted frames over many pairs: error of the mean, spectra of members, CRPS, spread over error."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from surrogate_training.metrics.ensemble import fair_crps
from surrogate_training.metrics.spectrum import Spectrum, isotropic_spectrum, spectrum_error

Array = NDArray[np.floating]


@dataclass
class Scores:
    """Sums over pairs; one member is a deterministic frame.

    Attributes
    ----------
    spacing : (dy, dx)
    periodic : bool
        Along both axes; windowed where not.
    """

    spacing: tuple[float, float]
    periodic: bool
    members: int = 0
    squares: list[float] = field(default_factory=list)
    variances: list[float] = field(default_factory=list)
    distances: list[float] = field(default_factory=list)
    crps: list[float] = field(default_factory=list)
    spectra: list[float] = field(default_factory=list)

    def add(self, members: Array, truth: Array) -> None:
        """Count a pair: members (M, ny, nx), truth (ny, nx)."""
        x, y = np.asarray(members, np.float64), np.asarray(truth, np.float64)
        self.members = len(x)
        self.squares.append(float(np.mean((x.mean(0) - y) ** 2)))
        self.distances.append(float(np.abs(np.median(x, 0) - y).mean()))
        one = len(x) == 1
        self.variances.append(0.0 if one else float(x.var(0, ddof=1).mean()))
        self.crps.append(self.distances[-1] if one else float(fair_crps(x, y)))
        true = self._spectrum(y)
        each = [spectrum_error(self._spectrum(member), true) for member in x]
        self.spectra.append(float(np.mean(each)))

    def summary(self) -> dict[str, float | None]:
        """All scores.

        ``rmse`` is of the ensemble's mean, ``mae`` of its median. ``spectrum_error`` is the mean over members and pairs
        of |ln(E_member / E_truth)| over the upper third of wavenumbers, each against the true frame of its own pair.
        ``crps`` is fair; of one frame it is the mean absolute error. ``spread_skill`` is √((M + 1) / M) × spread over
        RMSE, both pooled over all pairs; null for one frame.
        """
        rmse = float(np.sqrt(np.mean(self.squares)))
        m, spread = self.members, float(np.sqrt(np.mean(self.variances)))
        return {
            "rmse": rmse,
            "mae": float(np.mean(self.distances)),
            "spectrum_error": float(np.mean(self.spectra)),
            "crps": float(np.mean(self.crps)),
            "spread_skill": None if m == 1 else float(np.sqrt((m + 1) / m)) * spread / rmse,
        }

    def _spectrum(self, frame: Array) -> Spectrum:
        return isotropic_spectrum(
            frame, spacing=self.spacing, periodic=(self.periodic, self.periodic)
        )
