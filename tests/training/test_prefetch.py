"""Batches ahead: the same whoever prepares them; whole batches from their parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from surrogate_training.data.batches import Batch, BatchSource
from surrogate_training.data.pairs import Sample, open_sets
from surrogate_training.data.prefetch import Share, prefetch
from surrogate_training.data.statistics import Statistics

Make = Callable[..., Any]


def source(recipe: Any, root: Path, statistics: Statistics) -> BatchSource:
    return BatchSource(open_sets(recipe.data, root=root)["train"], recipe, statistics)


@pytest.mark.parametrize("workers", [1, 2])
def test_any_number_of_workers_prepares_the_same_batches(
    make_recipe: Make, data_root: Path, statistics: Statistics, workers: int
) -> None:
    batches = source(make_recipe(), data_root, statistics)
    steps, share = range(4, 11), Share(shards=2)  # across an epoch's end
    torch.manual_seed(3)
    ahead = list(prefetch(batches, steps, share, workers=workers, pinned=False))
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert drawn.equal(torch.rand(1))  # the loader left the global generator alone
    assert len(ahead) == len(steps)
    for step, rounds in zip(steps, ahead, strict=True):
        expected = share.rounds_of(batches, step)
        assert all(a.frames.equal(b.frames) for a, b in zip(rounds[0], expected[0], strict=True))


def test_the_parts_of_all_processes_are_the_batch(
    make_recipe: Make, data_root: Path, statistics: Statistics
) -> None:
    batches = source(make_recipe(optimiser={"batch": 8}), data_root, statistics)
    shares = [Share(process=p, processes=2, rounds=2, shards=2) for p in range(2)]
    parts = [part for share in shares for shards in share.rounds_of(batches, 1) for part in shards]
    names = [name for share in shares for name in share.names_of(batches, 1)]
    assert [len(part) for part in parts] == [1] * 8
    whole = batches.step(1)
    assert all(whole.frames[:, n : n + 1].equal(part.frames) for n, part in enumerate(parts))
    assert names == batches.names(1)


def test_an_error_in_a_worker_is_told_in_its_own_words(
    make_recipe: Make, data_root: Path, statistics: Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = source(make_recipe(), data_root, statistics)

    def fail(step: int, **_: int) -> Batch:
        raise OSError("a.h5 is damaged")

    monkeypatch.setattr(batches, "step", fail)
    with pytest.raises(OSError, match=r"^a\.h5 is damaged$"):
        next(prefetch(batches, range(1), Share(), workers=1, pinned=False))


def test_jumps_of_a_method_are_frames_of_a_sample(
    make_recipe: Make, data_root: Path, statistics: Statistics
) -> None:
    recipe = make_recipe(
        method={"noise": 0.0, "unroll": {"jumps": 2}},
        data=make_recipe().data.model_dump() | {"generate": None},
    )
    augment = recipe.data.augment.model_copy(
        update={"translate": False, "dihedral": False, "negate": ()}
    )
    data = recipe.data.model_copy(update={"augment": augment})
    batches = source(recipe.model_copy(update={"data": data}), data_root, statistics)
    assert len(batches.starts) == 8 * 2  # of 4 frames a trajectory
    found = {u.numpy().tobytes() for n in range(4) for u in batches.step(n).frames[2]}
    assert found == {batches.pairs.window(int(i), 3)[2].tobytes() for i in batches.starts}


def test_missing_cells_move_with_the_frame_and_get_no_noise(
    make_recipe: Make, data_root: Path, statistics: Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = source(make_recipe(method={"noise": 0.5}), data_root, statistics)
    weight = (np.random.default_rng(0).random((1, 32, 32)) > 0.2).astype(np.float32)
    states = np.broadcast_to(1e3 * weight, (2, 5, 32, 32))
    monkeypatch.setattr(batches.pairs, "sample", lambda index, count: Sample(states, weight))
    batch = batches.step(0)
    assert batch.weight.shape == (4, 1, 32, 32)
    assert not all(w.equal(torch.from_numpy(weight)) for w in batch.weight)  # it moved
    rho = batch.frames[:, :, 0]  # a scalar at cell centres
    assert torch.equal(rho[1], 1e3 * batch.weight[:, 0])
    assert torch.all(rho[0][batch.weight[:, 0] == 0] == 0)
    assert not torch.equal(rho[0], rho[1])


def test_too_many_jumps_for_the_data_are_refused(
    make_recipe: Make, data_root: Path, statistics: Statistics
) -> None:
    with pytest.raises(ValueError, match=r"has 6 frames .*method\.unroll\.jumps \(5\)"):
        source(make_recipe(method={"unroll": {"jumps": 5}}), data_root, statistics)
