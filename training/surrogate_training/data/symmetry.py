"""Exact symmetries of a grid, with the signs of vectors and the index shifts of corner-staggered fields.

The eight elements of the dihedral group are written as: transpose (x ↔ y) first, then reflect x, then
reflect y. ``dihedral`` draws from all eight, ``flip`` from the reflections alone. What a component becomes:

==============  =================  ===================  ============================
element         scalar             polar (vx, vy)       axial (bx, by, bz)
==============  =================  ===================  ============================
reflect x       s                  (-vx, vy)            (bx, -by, -bz)
reflect y       s                  (vx, -vy)            (-bx, by, -bz)
transpose       s                  (vy, vx)             (-by, -bx, -bz)
==============  =================  ===================  ============================

An axial vector u' = det(R) R u is the curl of a polar one: a magnetic field, a vorticity. The potential A_z is
an even scalar at corners: its curl then turns as the axial vector B does. All elements are symmetries of
ideal MHD, as is B → -B (``negate``), which has its own draw: it may undo the sign that a reflection gives bz, so
that both signs are seen with both orientations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
    axial : tuple of (int or None, int or None, int or None)
        Channel numbers of the (x, y, z) components of axial vectors; None: not among the channels.
    """

    corner: tuple[bool, ...]
    vectors: tuple[tuple[int, int], ...] = ()
    odd: tuple[int, ...] = ()
    axial: tuple[tuple[int | None, int | None, int | None], ...] = ()

    @classmethod
    def of(cls, names: tuple[str, ...], locations: tuple[str, ...], augment: Augment) -> Layout:
        """Build the layout from the recipe's names."""
        return cls(
            corner=tuple(location == "corner" for location in locations),
            vectors=tuple((names.index(x), names.index(y)) for x, y in augment.vectors),
            odd=tuple(names.index(n) for n in augment.negate),
            axial=tuple(
                (_channel(names, x), _channel(names, y), _channel(names, z))
                for x, y, z in augment.axial
            ),
        )

    def odd_in(self, axis: Literal["x", "y"]) -> list[int]:
        """Channels that change sign where an axis is reflected: see the table above."""
        along = 0 if axis == "x" else 1
        polar = [components[along] for components in self.vectors]
        across = [c for v in self.axial for k, c in enumerate(v) if k != along and c is not None]
        return polar + across


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
        reflect_x=bool(bits[1]) and (augment.dihedral or "x" in augment.flip),
        reflect_y=bool(bits[2]) and (augment.dihedral or "y" in augment.flip),
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
        for components in layout.axial:
            _transpose_axial(v, components)
    if symmetry.reflect_x:
        v = _reflect(v, -1, layout.odd_in("x"), layout)
    if symmetry.reflect_y:
        v = _reflect(v, -2, layout.odd_in("y"), layout)
    if symmetry.negate:
        v[..., list(layout.odd), :, :] *= -1
    if symmetry.shift != (0, 0):
        v = np.roll(v, symmetry.shift, axis=(-2, -1))
    return v


def _transpose_axial(v: Array, components: tuple[int | None, int | None, int | None]) -> None:
    """Exchange the x and y components and turn all signs, in place."""
    x, y, z = components
    if x is not None and y is not None:  # both or neither: the recipe's section sees to it
        v[..., [x, y], :, :] = -v[..., [y, x], :, :]
    if z is not None:
        v[..., z, :, :] *= -1


def _channel(names: tuple[str, ...], name: str) -> int | None:
    return names.index(name) if name else None


def _reflect(v: Array, axis: int, odd: list[int], layout: Layout) -> Array:
    """Reflect one axis: cells go from i to N-1-i, corners from i to (N - i) mod N."""
    v = np.ascontiguousarray(np.flip(v, axis))
    corners = [c for c, corner in enumerate(layout.corner) if corner]
    if corners:
        v[..., corners, :, :] = np.roll(v[..., corners, :, :], 1, axis)
    if odd:
        v[..., odd, :, :] *= -1
    return v
