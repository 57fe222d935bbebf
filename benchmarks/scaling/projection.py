"""A projection of ``tiles`` and ``gather`` to 10^3..10^5 ranks from quantities that were measured on few.

Nothing here was run at that size. The ranks form a square of sqrt(p) x sqrt(p) blocks of b x b cells, every rank has
the core that was measured, and no rank waits for a slower one. With the receptive field r, aligned to the stride h,
C channels, latency a and bandwidth B of a message, c seconds of the program a cell, k seconds a cell of packing and of
guards with writing, and l seconds of one level of an agreement (up and down again):

    program   c (b + 2h)^2                                         where the tile is smaller than the domain
    pack      k b^2
    exchange  n a + 4 C ((b + 2r)^2 - b^2) / B,   n = (2 ceil(r / b) + 1)^2 - 1 neighbours
    agree     2 ceil(log2 p) l                                     two agreements a jump
    jump      program + pack + exchange + agree

Weak scaling keeps b; its efficiency is jump(1) / jump(p), with jump(1) without halo, exchange or agreement. Strong
scaling keeps the domain N x N, b = N / sqrt(p); its efficiency is jump(1) / (p jump(p)).
``gather`` runs the whole domain on one rank, which receives and sends p - 1 messages:

    jump      c N^2 + k b^2 + 2 ((p - 1) a + 4 C N^2 / B) + agree

Opening: one rank reads S bytes, one rank a node receives them down a binomial tree over the nodes, and each rank then
loads its program as on the machine measured; against this, every rank reads for itself from a file system of
bandwidth F, shared by all:

    collective  r + ceil(log2 nodes) (a + S / B) + e
    each reads  p S / F + e
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

RANKS = (1_000, 3_000, 10_000, 30_000, 100_000)


@dataclass(frozen=True)
class Network:
    """Messages between ranks, and the file system."""

    latency: float
    """Seconds of a small message, one way."""
    bandwidth: float
    """Bytes a second of a large message."""
    level: float
    """Seconds of one level of an agreement, up and down."""
    file_bandwidth: float
    """Bytes a second that all readers of one file share."""
    ranks_per_node: int


@dataclass(frozen=True)
class Net:
    """What a program costs on the core that was measured."""

    name: str
    channels: int
    reach: int
    """Receptive field: cells to each side that travel."""
    halo: int
    """The same, aligned to the stride: cells to each side that are computed."""
    program: float
    """Seconds a cell."""
    pack: float
    """Seconds a cell of packing, guards and writing."""
    bundle_bytes: int
    read: float
    """Seconds of reading the bundle on one rank."""
    load: float
    """Seconds of making it ready on each rank: engine, program, first call."""


def agreements(network: Network, ranks: int) -> float:
    """Seconds of the two agreements of a jump."""
    return 2 * math.ceil(math.log2(ranks)) * network.level if ranks > 1 else 0.0


def tiles_jump(net: Net, network: Network, ranks: int, block: float) -> dict[str, float]:
    """Seconds of the parts of a jump with blocks of `block`^2 cells, and their sum."""
    if ranks == 1:
        parts = {"program": net.program * block**2, "exchange": 0.0}
    else:
        domain = block * math.sqrt(ranks)
        side, read = (min(block + 2 * cells, domain) for cells in (net.halo, net.reach))
        neighbours = min((2 * math.ceil(net.reach / block) + 1) ** 2, ranks) - 1
        bytes_received = 4 * net.channels * (read**2 - block**2)
        parts = {
            "program": net.program * side**2,
            "exchange": neighbours * network.latency + bytes_received / network.bandwidth,
        }
    parts |= {"pack": net.pack * block**2, "agree": agreements(network, ranks)}
    return parts | {"jump": sum(parts.values())}


def gather_jump(net: Net, network: Network, ranks: int, cells: float) -> float:
    """Seconds of a jump of `cells` cells in all on one leader."""
    moved = 2 * ((ranks - 1) * network.latency + 4 * net.channels * cells / network.bandwidth)
    return net.program * cells + net.pack * cells / ranks + moved + agreements(network, ranks)


def open_seconds(net: Net, network: Network, ranks: int) -> dict[str, float]:
    """Seconds of a collective open, and of every rank reading for itself."""
    nodes = math.ceil(ranks / network.ranks_per_node)
    hop = network.latency + net.bundle_bytes / network.bandwidth
    return {
        "collective": net.read + math.ceil(math.log2(max(nodes, 1))) * hop + net.load,
        "each_reads": ranks * net.bundle_bytes / network.file_bandwidth + net.load,
    }


def project(
    net: Net, network: Network, *, block: int, domain: int, ranks: Sequence[int] = RANKS
) -> dict[str, Any]:
    """Weak scaling with blocks of `block`^2, strong scaling of `domain`^2, and opening, at each number of ranks."""
    weak_one = tiles_jump(net, network, 1, block)["jump"]
    strong_one = tiles_jump(net, network, 1, domain)["jump"]
    rows = []
    for p in ranks:
        weak = tiles_jump(net, network, p, block)
        strong = tiles_jump(net, network, p, domain / math.sqrt(p))
        rows.append(
            {
                "ranks": p,
                "weak": weak | {"efficiency": weak_one / weak["jump"]},
                "strong": strong | {"efficiency": strong_one / (p * strong["jump"])},
                "gather_weak_jump": gather_jump(net, network, p, p * float(block) ** 2),
                "gather_strong_jump": gather_jump(net, network, p, float(domain) ** 2),
                "open": open_seconds(net, network, p),
            }
        )
    return {"net": asdict(net), "weak_block": block, "strong_domain": domain, "rows": rows}


def assumptions(network: Network, given: Sequence[str]) -> list[str]:
    """What the projection takes for granted, in sentences; `given` names the parameters that options set."""
    source = "given by options: " + ", ".join(given) if given else "measured here, in shared memory"
    return [
        "A projection: nothing was run on more ranks than the machine's measurement used.",
        f"Network ({source}): latency {network.latency:.3g} s, bandwidth {network.bandwidth:.3g} B/s, "
        f"no contention and no distance.",
        "Every rank has a core as measured, with its memory bandwidth; no rank waits for a slower one.",
        f"A level of an agreement costs {network.level:.3g} s at every size; it was measured between 2 ranks.",
        f"The file system gives {network.file_bandwidth:.3g} B/s to all readers together; measured: a page cache.",
        f"{network.ranks_per_node} ranks a node; square blocks in a square of ranks; program seconds grow with cells.",
        "Mode batch is not projected: it trades ranks for devices, and no device was measured.",
    ]
