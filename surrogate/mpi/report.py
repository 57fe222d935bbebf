"""How a collective prediction went on this rank. The same facts as ``surrogate_mpi_report`` in C."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """The last prediction on this rank.

    Attributes
    ----------
    mode, choice : str
        ``tiles``, ``gather`` or ``batch``, and one sentence why.
    ranks, rank, node_ranks, node_rank, nodes : int
        The communicator, and this rank's node.
    device : int
        CUDA ordinal that this rank's program runs on; -1: the CPU, or no program.
    threads : int
        CPU threads of its program.
    tiles : int
        That this rank ran.
    tile_shape, halo : tuple of int
        Cells of the largest of them, halo included; cells that tiles are read beyond their block, at most.
    bytes_sent, bytes_received, minimum_bytes : int
        Packed values and increments; the bytes of an exact halo, in mode ``tiles``.
    pack_seconds, exchange_seconds, program_seconds, agree_seconds, output_seconds : float
        Reading and normalising the block; values on their way; the program; waiting for the slowest rank, and
        agreeing; guards and writing.
    open_read_seconds, open_seconds : float
        Of opening: reading and distributing the bundle; all of it.
    """

    mode: str
    choice: str
    ranks: int
    rank: int
    node_ranks: int
    node_rank: int
    nodes: int
    device: int
    threads: int
    tiles: int
    tile_shape: tuple[int, ...]
    halo: tuple[int, ...]
    bytes_sent: int
    bytes_received: int
    minimum_bytes: int
    pack_seconds: float
    exchange_seconds: float
    program_seconds: float
    agree_seconds: float
    output_seconds: float
    open_read_seconds: float
    open_seconds: float
