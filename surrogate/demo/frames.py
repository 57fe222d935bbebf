"""Frames of mhd2d in memory: reading, the magnetic field, and the way between resolutions.

A frame holds ``rho, vx, vy, p`` (cell averages) and ``az`` (the vector potential at corners), each of shape (ny, nx),
float64, x fastest; ``az[j, i]`` sits at ``(i dx, j dy)``. All is periodic. Units as in the solver, mu0 = 1.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import h5py
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STATE = ("rho", "vx", "vy", "p", "az")
SCORED = ("rho", "vx", "vy", "p", "bx", "by")
"""Fields of the score: the potential is judged by the field that it makes, which no gauge changes."""


@dataclass(frozen=True)
class Frame:
    """One state of the solver."""

    rho: Array
    vx: Array
    vy: Array
    p: Array
    az: Array
    time: float
    gamma: float = 5.0 / 3.0
    b0: tuple[float, float] = (0.0, 0.0)
    size: tuple[float, float] = (1.0, 1.0)
    """Width and height of the domain."""

    @property
    def b(self) -> tuple[Array, Array]:
        """Bx at the x-faces and By at the y-faces: the curl of A_z plus the mean field."""
        ny, nx = self.az.shape
        dx, dy = self.size[0] / nx, self.size[1] / ny
        bx = self.b0[0] + (np.roll(self.az, -1, axis=0) - self.az) / dy
        by = self.b0[1] - (np.roll(self.az, -1, axis=1) - self.az) / dx
        return bx, by

    def scored(self) -> dict[str, Array]:
        """The six fields that are compared, by name."""
        bx, by = self.b
        return {"rho": self.rho, "vx": self.vx, "vy": self.vy, "p": self.p, "bx": bx, "by": by}


def read_frame(path: str | os.PathLike[str], index: int = -1) -> Frame:
    """Frame `index` of a file that mhd2d wrote."""
    with h5py.File(path, "r") as file:
        fields = {name: file[name][index].astype(np.float64) for name in STATE}
        a = file.attrs
        return Frame(
            **fields,
            time=float(file["time"][index]),
            gamma=float(a["gamma"]),
            b0=(float(a["b0x"]), float(a["b0y"])),
            size=(float(a["lx"]), float(a["ly"])),
        )


def _magnetic_energy(frame: Frame) -> Array:
    """Energy density of the field at the cell centres, the mean of the two faces each way."""
    bx, by = frame.b
    cx = 0.5 * (bx + np.roll(bx, -1, axis=1))
    cy = 0.5 * (by + np.roll(by, -1, axis=0))
    return 0.5 * (cx**2 + cy**2)


def _total_energy(frame: Frame) -> Array:
    kinetic = 0.5 * frame.rho * (frame.vx**2 + frame.vy**2)
    return frame.p / (frame.gamma - 1.0) + kinetic + _magnetic_energy(frame)


def _from_conserved(
    frame: Frame, rho: Array, mx: Array, my: Array, energy: Array, az: Array
) -> Frame:
    """The frame with these cell averages; time, gamma, mean field and size are those of `frame`."""
    rest = Frame(
        rho,
        mx / rho,
        my / rho,
        np.zeros_like(rho),
        az,
        frame.time,
        frame.gamma,
        frame.b0,
        frame.size,
    )
    p = (frame.gamma - 1.0) * (energy - _total_energy(rest))
    return Frame(rest.rho, rest.vx, rest.vy, p, az, frame.time, frame.gamma, frame.b0, frame.size)


def _block_mean(u: Array, factor: int) -> Array:
    ny, nx = u.shape
    blocks = u.reshape(ny // factor, factor, nx // factor, factor)
    means: Array = blocks.mean(axis=(1, 3))  # (ny / factor, nx / factor)
    return means


def restrict(frame: Frame, factor: int = 2) -> Frame:
    """On a grid coarser by `factor`: means of mass, momentum and energy, A_z at the corners that both have."""
    conserved = (frame.rho, frame.rho * frame.vx, frame.rho * frame.vy, _total_energy(frame))
    rho, mx, my, energy = (_block_mean(u, factor) for u in conserved)
    return _from_conserved(frame, rho, mx, my, energy, frame.az[::factor, ::factor].copy())


def _interleave(even: Array, odd: Array, axis: int) -> Array:
    """even[0], odd[0], even[1], … along `axis`."""
    shape = list(even.shape)
    shape[axis] *= 2
    both: Array = np.stack((even, odd), axis=axis + 1).reshape(shape)
    return both


def _split_averages(u: Array, axis: int) -> Array:
    """Averages over half cells from the quartic that has the averages of five cells: fifth order, conservative."""
    near = np.roll(u, -1, axis) - np.roll(u, 1, axis)
    far = np.roll(u, -2, axis) - np.roll(u, 2, axis)
    slope = (22.0 * near - 3.0 * far) / 128.0
    return _interleave(u - slope, u + slope, axis)


def _split_points(u: Array, axis: int) -> Array:
    """Values at points and midway between them, by the quintic through six points: sixth order."""
    middle = np.zeros_like(u)
    for k, weight in enumerate((150.0, -25.0, 3.0)):
        middle += weight / 256.0 * (np.roll(u, -1 - k, axis) + np.roll(u, k, axis))
    return _interleave(u, middle, axis)


def prolong(frame: Frame) -> Frame:
    """On a grid finer by two: fifth order in mass, momentum and energy, conserving them, sixth order in A_z."""
    conserved = (frame.rho, frame.rho * frame.vx, frame.rho * frame.vy, _total_energy(frame))
    rho, mx, my, energy = (
        _split_averages(_split_averages(u, 0), 1) for u in conserved
    )  # (2 ny, 2 nx)
    az = _split_points(_split_points(frame.az, 0), 1)
    return _from_conserved(frame, rho, mx, my, energy, az)
