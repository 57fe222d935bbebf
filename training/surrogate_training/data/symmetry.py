"""Exact symmetries of a square periodic grid, with the index shifts of corner-staggered fields.

The eight elements of the dihedral group are written as: transpose (x ↔ y) first, then reflect x, then
reflect y. A polar vector's components are exchanged and change sign with their axis. The potential A_z is
an even scalar at corners: its curl then turns as the axial vector B does. All elements are symmetries of
ideal MHD, as is B → -B.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_training.config import Augment

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Layout:
    """How each channel of a state (C, ny, nx) transforms.

    Attributes
    ----------
    corner : tuple of bool
        Whether the channel sits at cell corners (i dx, j dy) rather than at cell centres.
    vectors : tuple of (int, int)
        Channel numbers of the (x, y) components of polar vectors.
    odd : tuple of int
        Channels that change sign under ``negate``.
    """

    corner: tuple[bool, ...]
    vectors: tuple[tuple[int, int], ...] = ()
    odd: tuple[int, ...] = ()

    @classmethod
    def of(cls, names: tuple[str, ...], locations: tuple[str, ...], augment: Augment) -> Layout:
        """Build the layout from the recipe's names."""
        return cls(
            corner=tuple(location == "corner" for location in locations),
            vectors=tuple((names.index(x), names.index(y)) for x, y in augment.vectors),
            odd=tuple(names.index(n) for n in augment.negate),
        )


@dataclass(frozen=True)
class Symmetry:
    """One element: transpose, then reflections, then B → -B, then a shift by (dy, dx) cells."""

    transpose: bool = False
    reflect_x: bool = False
    reflect_y: bool = False
    negate: bool = False
    shift: tuple[int, int] = (0, 0)


def draw(rng: np.random.Generator, shape: tuple[int, int], augment: Augment) -> Symmetry:
    """Draw an element uniformly. Always consumes the same number of random values."""
    bits = rng.integers(0, 2, size=4).astype(bool)
    dy, dx = int(rng.integers(0, shape[0])), int(rng.integers(0, shape[1]))
    return Symmetry(
        # a transposition needs a square grid
        transpose=bool(bits[0]) and augment.dihedral and shape[0] == shape[1],
        reflect_x=bool(bits[1]) and augment.dihedral,
        reflect_y=bool(bits[2]) and augment.dihedral,
        negate=bool(bits[3]) and bool(augment.negate),
        shift=(dy, dx) if augment.translate else (0, 0),
    )


def apply(u: Array, symmetry: Symmetry, layout: Layout) -> Array:
    """Transform a state.

    Parameters
    ----------
    u : ndarray, shape (..., C, ny, nx)
        One state, or several (a pair) that are to be transformed alike.
    symmetry : Symmetry
        The element.
    layout : Layout
        How the channels transform.

    Returns
    -------
    ndarray, same shape as ``u`` (a copy)
    """
    v = u.copy()
    if symmetry.transpose:
        v = np.ascontiguousarray(v.swapaxes(-1, -2))
        for x, y in layout.vectors:
            v[..., [x, y], :, :] = v[..., [y, x], :, :]
    if symmetry.reflect_x:
        v = _reflect(v, -1, [x for x, _ in layout.vectors], layout)
    if symmetry.reflect_y:
        v = _reflect(v, -2, [y for _, y in layout.vectors], layout)
    if symmetry.negate:
        v[..., list(layout.odd), :, :] *= -1
    if symmetry.shift != (0, 0):
        v = np.roll(v, symmetry.shift, axis=(-2, -1))
    return v


def _reflect(v: Array, axis: int, odd: list[int], layout: Layout) -> Array:
    """Reflect one axis: cells go from i to N-1-i, corners from i to (N - i) mod N."""
    v = np.ascontiguousarray(np.flip(v, axis))
    corners = [c for c, corner in enumerate(layout.corner) if corner]
    if corners:
        v[..., corners, :, :] = np.roll(v[..., corners, :, :], 1, axis)
    if odd:
        v[..., odd, :, :] *= -1
    return v
