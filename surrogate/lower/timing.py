"""How long programs take here, measured in turns so that a disturbance hits them all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

WARM_UP, CALLS, SECONDS = 3, 15, 20.0


def time_programs(
    programs: Mapping[str, Callable[[], object]], *, threads: Sequence[int], shape: Sequence[int]
) -> dict[str, list[dict[str, Any]]]:
    """Median wall time of a call of each program at each number of CPU threads.

    Parameters
    ----------
    programs : mapping of str to callable
        Each runs one forward pass, batch 1, and waits for its result.
    threads : sequence of int
        CPU threads of torch; its own number is put back at the end.
    shape : sequence of int
        The grid, recorded.

    Returns
    -------
    dict of str to list
        Per program: ``threads``, ``shape``, ``batch``, ``milliseconds`` and ``spread``, the quartiles.
    """
    import torch

    found: dict[str, list[dict[str, Any]]] = {name: [] for name in programs}
    before = torch.get_num_threads()
    try:
        for count in threads:
            torch.set_num_threads(count)
            for name, seconds in interleaved(programs).items():
                low, middle, high = np.percentile(np.array(seconds) * 1e3, [25, 50, 75])
                found[name].append(
                    {
                        "threads": count,
                        "shape": list(shape),
                        "batch": 1,
                        "milliseconds": float(middle),
                        "spread": [float(low), float(high)],
                    }
                )
    finally:
        torch.set_num_threads(before)
    return found


def interleaved(
    programs: Mapping[str, Callable[[], object]], *, calls: int = CALLS, seconds: float = SECONDS
) -> dict[str, list[float]]:
    """Seconds of `calls` rounds, each program once a round, after a warm-up; fewer rounds if they take too long."""
    samples: dict[str, list[float]] = {name: [] for name in programs}
    start = time.perf_counter()
    for count in range(WARM_UP + calls):
        for name, run in programs.items():
            begin = time.perf_counter()
            run()
            taken = time.perf_counter() - begin
            if count >= WARM_UP:
                samples[name].append(taken)
        if count >= WARM_UP + 2 and time.perf_counter() - start > seconds:
            break
    return samples
