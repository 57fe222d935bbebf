"""method.start: what a run may begin from, and what it says of anything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.warm_start import StartError, load_start, take_over
from surrogate_training.runfolder import RunFolder, new_run
from surrogate_training.trainer import Trainer
from torch import nn

Make = Callable[..., Any]
NET = {"features": [], "widths": [8], "encoder_blocks": [1], "decoder_blocks": []}


@pytest.fixture(name="experiment", scope="module")
def a_regression_run(make_recipe: Make, data_root: Path) -> str:
    """Folder of an experiment with one run, relative to the data's root."""
    recipe = make_recipe(model=NET, optimiser={"steps": 1, "warmup": 0})
    run = new_run(data_root / ".runs" / "before")
    Trainer(recipe, run, root=data_root).train()
    run.name_latest()
    return ".runs/before"


def test_the_newest_run_of_an_experiment_is_taken(
    make_recipe: Make, data_root: Path, experiment: str
) -> None:
    recipe = make_recipe(method={"kind": "crps", "start": experiment}, model=NET)
    run = RunFolder((data_root / experiment / "latest").resolve())
    found = load_start(recipe, run.statistics(), data_root).state_dict()
    expected = run.model()[0].state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_what_it_cannot_begin_from_is_named(
    make_recipe: Make, data_root: Path, experiment: str
) -> None:
    run = RunFolder((data_root / experiment / "latest").resolve())
    statistics = run.statistics()

    def begin(statistics: Statistics, *, start: str = experiment, **net: Any) -> None:
        recipe = make_recipe(method={"kind": "crps", "start": start}, model=NET | net)
        load_start(recipe, statistics, data_root)

    with pytest.raises(StartError, match="name its folder"):
        begin(statistics, start="")
    with pytest.raises(StartError, match=r"no trained run in .*nowhere"):
        begin(statistics, start=".runs/nowhere")
    with pytest.raises(StartError, match=r"model\.widths"):
        begin(statistics, widths=[12])
    other = replace(statistics.fields["rho"], increment_std=9.0)
    with pytest.raises(StartError, match="'rho' has mean"):
        begin(replace(statistics, fields=statistics.fields | {"rho": other}))


def test_more_channels_are_read_after_the_known_ones() -> None:
    source, target = nn.Conv2d(2, 4, 3), nn.Conv2d(5, 4, 3)
    before = target.weight.detach().clone()
    take_over(target, source, fresh=0.5)
    assert torch.equal(target.weight[:, :2], source.weight)
    assert torch.equal(target.weight[:, 2:], 0.5 * before[:, 2:])
    assert torch.equal(target.bias, source.bias)  # type: ignore[arg-type]
    with pytest.raises(StartError, match="weight has shape"):
        take_over(source, target)
