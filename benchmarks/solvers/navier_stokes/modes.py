"""The periodic square, its Fourier modes, and the transforms between them (2/3 rule: Orszag 1971).

A field is kept as its modes up to the largest wavenumber K that a quadratic product does not alias: of an n × n grid
K = (n - 1) // 3, stored as (..., 2K + 1, K + 1): the second axis holds the half that a real field needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Real = NDArray[np.floating[Any]]
Modes = NDArray[np.complexfloating[Any, Any]]


@dataclass(frozen=True)
class Grid:
    """n × n points of a periodic square, and the modes that are kept.

    Attributes
    ----------
    n : int
        Points a side.
    length : float
        Of a side.
    kept : int
        Largest kept wavenumber K along an axis, in waves a side.
    dtype : str
        ``float32`` or ``float64``.
    """

    n: int
    kept: int
    length: float = 1.0
    dtype: str = "float32"

    @classmethod
    def dealiased(cls, n: int, *, length: float = 1.0, dtype: str = "float32") -> Grid:
        """The grid on which products of two fields have no aliases among the kept modes."""
        return cls(n, (n - 1) // 3, length, dtype)

    @property
    def shape(self) -> tuple[int, int]:
        """Of the modes of a field."""
        return 2 * self.kept + 1, self.kept + 1

    @property
    def complex_dtype(self) -> np.dtype[Any]:
        """Type of the modes."""
        return np.result_type(self.dtype, np.complex64)

    @cached_property
    def waves(self) -> tuple[Real, Real]:
        """(y, x) waves a side of every mode, shapes (2K + 1, 1) and (1, K + 1)."""
        rows = np.concatenate([np.arange(self.kept + 1), np.arange(-self.kept, 0)])
        columns = np.arange(self.kept + 1)
        return rows[:, None].astype(self.dtype), columns[None, :].astype(self.dtype)

    @cached_property
    def wavenumber(self) -> NDArray[np.float64]:
        """|k| in waves a side, (2K + 1, K + 1)."""
        return np.hypot(*self.waves).astype(np.float64)

    @cached_property
    def k(self) -> tuple[Real, Real]:
        """(y, x) angular wavenumbers, shapes (2K + 1, 1) and (1, K + 1)."""
        unit = np.dtype(self.dtype).type(2 * np.pi / self.length)
        ky, kx = self.waves
        return unit * ky, unit * kx

    @cached_property
    def k_squared(self) -> Real:
        """|k|², (2K + 1, K + 1)."""
        ky, kx = self.k
        return ky**2 + kx**2

    @cached_property
    def inverse_k_squared(self) -> Real:
        """1 / |k|², 0 for the mean, (2K + 1, K + 1)."""
        k2 = self.k_squared.copy()
        k2[0, 0] = np.inf
        return 1 / k2

    @cached_property
    def weight(self) -> Real:
        """How often a stored mode stands for itself and its conjugate, (1, K + 1)."""
        return np.where(np.arange(self.kept + 1) == 0, 1, 2)[None, :].astype(self.dtype)

    def to_points(self, modes: Modes) -> Real:
        """Values at the points, (..., n, n), of modes (..., 2K + 1, K + 1)."""
        rows = np.zeros((*modes.shape[:-2], self.n, self.kept + 1), modes.dtype)  # (..., n, K + 1)
        rows[..., : self.kept + 1, :] = modes[..., : self.kept + 1, :]
        rows[..., self.n - self.kept :, :] = modes[..., self.kept + 1 :, :]
        columns = fft.ifft(rows, axis=-2, norm="forward", overwrite_x=True)
        values: Real = fft.irfft(columns, n=self.n, axis=-1, norm="forward", overwrite_x=True)
        return values

    def to_modes(self, values: Real) -> Modes:
        """Modes (..., 2K + 1, K + 1), the coefficients of exp(i k x), of values (..., n, n)."""
        columns = fft.rfft(values, axis=-1, norm="forward")[..., : self.kept + 1]
        rows = fft.fft(columns, axis=-2, norm="forward", overwrite_x=True)  # (..., n, K + 1)
        return np.concatenate(
            [rows[..., : self.kept + 1, :], rows[..., self.n - self.kept :, :]], axis=-2
        )

    def resample(self, modes: Modes, other: Grid) -> Modes:
        """The same field by the modes of another grid: cut off sharply, or filled up with zeros."""
        kept = min(self.kept, other.kept)
        result = np.zeros((*modes.shape[:-2], *other.shape), other.complex_dtype)
        result[..., : kept + 1, : kept + 1] = modes[..., : kept + 1, : kept + 1]
        if kept:
            result[..., -kept:, : kept + 1] = modes[..., -kept:, : kept + 1]
        return result
