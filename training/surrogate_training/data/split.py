"""Splitting by trajectory, and the check that no state occurs on both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from surrogate_training.config import Split

PARTS = ("train", "validation", "test")


class LeakageError(ValueError):
    """The same state occurs in two parts of a split."""


def split_files(files: Iterable[Path], split: Split) -> dict[str, tuple[Path, ...]]:
    """Assign whole trajectories: the first to train, the next to validation, the last to test.

    The order is that of the file names, or a permutation drawn from ``split.seed`` if that is given.

    Raises
    ------
    ValueError
        If no trajectory is left for training.
    """
    ordered = sorted(files)
    held = split.validation + split.test
    if len(ordered) <= held:
        raise ValueError(
            f"data.split holds out {split.validation} + {split.test} trajectories, but only "
            f"{len(ordered)} exist: generate more, or hold out fewer"
        )
    order = np.arange(len(ordered))
    if split.seed is not None:
        order = np.random.default_rng([split.seed, 0x5E11]).permutation(order)
    train, validation, test = np.split(order, [len(order) - held, len(order) - split.test])
    groups = {"train": train, "validation": validation, "test": test}
    return {part: tuple(ordered[i] for i in sorted(groups[part])) for part in PARTS}


def state_hash(state: np.ndarray) -> str:
    """Hash of one state (C, ny, nx), exact to the bit."""
    return hashlib.blake2b(np.ascontiguousarray(state).tobytes(), digest_size=16).hexdigest()


def check_leakage(hashes: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse a split in which two parts share a state.

    Parameters
    ----------
    hashes : mapping of part → (state hash → where it was found)

    Raises
    ------
    LeakageError
        Naming both places.
    """
    seen: dict[str, tuple[str, str]] = {}
    for part, found in hashes.items():
        for digest, where in found.items():
            other = seen.setdefault(digest, (part, where))
            if other[0] != part:
                raise LeakageError(
                    f"{where} ({part}) holds the same state as {other[1]} ({other[0]}): a split by "
                    "trajectory must not share initial states; give every trajectory its own seed"
                )
