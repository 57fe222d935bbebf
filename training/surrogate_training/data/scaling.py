"""Scaled units of a field: s = u, or s = asinh(u / softening): linear below ``softening``, logarithmic above."""

from __future__ import annotations

from torch import Tensor

from surrogate_training.config import FieldSpec


def scaled(u: Tensor, field: FieldSpec) -> Tensor:
    """Physical → scaled values, of any shape."""
    return u if field.scaling == "linear" else (u / field.softening).asinh()


def physical(s: Tensor, field: FieldSpec) -> Tensor:
    """Scaled → physical values, of any shape."""
    return s if field.scaling == "linear" else field.softening * s.sinh()
