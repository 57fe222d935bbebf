"""Where a rank's block lies in the whole domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Self

from surrogate.errors import ArgumentError
from surrogate.mpi.library import Communicator


@dataclass(frozen=True)
class Decomposition:
    """The block of one rank. Blocks are boxes of any sizes that cover the domain once; axes stand slowest first.

    Attributes
    ----------
    global_shape : tuple of int
        Cells of the whole domain.
    origin : tuple of int
        Global index of the block's first cell.
    shape : tuple of int, optional
        Cells of the block; None: that of the arrays that are given.
    """

    global_shape: tuple[int, ...]
    origin: tuple[int, ...]
    shape: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("global_shape", "origin", "shape"):
            values = getattr(self, name)
            if values is not None:
                object.__setattr__(self, name, tuple(int(value) for value in values))
        lengths = {len(self.global_shape), len(self.origin), len(self.shape or self.origin)}
        if len(lengths) > 1 or not lengths <= {1, 2, 3}:
            raise ArgumentError(
                f"{self}: expected one number a spatial axis in each, for 1, 2 or 3 axes"
            )

    @classmethod
    def of(
        cls, comm: Communicator, global_shape: Sequence[int], dims: Sequence[int] | None = None
    ) -> Self:
        """The block of this rank in a balanced decomposition; sizes differ by one cell at most.

        Parameters
        ----------
        comm : mpi4py.MPI.Comm
            Its ranks count the blocks as ``MPI_Cart_create`` without reordering does: the last axis fastest.
        global_shape : sequence of int
            Cells of the whole domain, slowest axis first.
        dims : sequence of int, optional
            Blocks along each axis; 0, the default: as ``MPI_Dims_create`` chooses.

        Raises
        ------
        ArgumentError
            If an axis has fewer cells than blocks, or `dims` do not make up the communicator's size.
        """
        size, rank = comm.Get_size(), comm.Get_rank()
        blocks = create_dims(size, [0] * len(global_shape) if dims is None else dims)
        if len(blocks) != len(global_shape) or any(
            n < k for n, k in zip(global_shape, blocks, strict=True)
        ):
            raise ArgumentError(
                f"a domain of {tuple(global_shape)} cells cannot be cut into {tuple(blocks)} blocks; expected at least "
                "one cell a block along each axis: give other dims, or use fewer ranks"
            )
        origin: list[int] = []
        shape: list[int] = []
        for cells, count in zip(reversed(global_shape), reversed(blocks), strict=True):
            rank, place = divmod(rank, count)
            first, last = place * cells // count, (place + 1) * cells // count
            origin.insert(0, first)
            shape.insert(0, last - first)
        return cls(tuple(global_shape), tuple(origin), tuple(shape))

    @property
    def slices(self) -> tuple[slice, ...]:
        """The block in an array of the whole domain: ``whole[..., *decomposition.slices]``."""
        if self.shape is None:
            raise ArgumentError(f"{self}: its shape is not given; give it, or use Decomposition.of")
        return tuple(
            slice(first, first + n) for first, n in zip(self.origin, self.shape, strict=True)
        )


def create_dims(size: int, dims: Sequence[int]) -> list[int]:
    """Factors of `size` as close to each other as possible, the largest first, where `dims` are 0.

    As ``MPI_Dims_create``, which gives the same balance by other rules in different implementations.

    Raises
    ------
    ArgumentError
        If the other entries of `dims` do not divide `size`.
    """
    given = prod(n for n in dims if n)
    free = [axis for axis, n in enumerate(dims) if not n]
    if any(n < 0 for n in dims) or size % given or (not free and given != size):
        raise ArgumentError(f"dims={tuple(dims)}; expected blocks along each axis, {size} together")
    result = list(dims)
    best = _factors(size // given, len(free))
    for axis, factor in zip(free, best, strict=True):
        result[axis] = factor
    return result


def _factors(size: int, count: int) -> tuple[int, ...]:
    """`count` factors, the largest first, whose largest is as small as possible, then the next."""
    if count == 0:
        return ()
    if count == 1:
        return (size,)
    divisors = [n for n in range(1, size + 1) if size % n == 0]
    options = ((n, *_factors(size // n, count - 1)) for n in divisors)
    return min(option for option in options if list(option) == sorted(option, reverse=True))
