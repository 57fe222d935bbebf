"""torch's random numbers as functions of where they are used, so that a run can be continued at any step."""

from __future__ import annotations

import numpy as np
import torch

METHOD, VALIDATION = 2, 3
"""Streams, beside those of :mod:`surrogate_training.data.batches`."""


def seed_torch(*entropy: int) -> None:
    """Set torch's default generators (of every device) by the numbers alone."""
    state = np.random.SeedSequence(entropy).generate_state(1, np.uint64)
    torch.manual_seed(int(state[0]))
