"""residual-edm: a frozen mean, and a density of what it misses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from surrogate_training.data.batches import Batch
from surrogate_training.methods.residual import ResidualDenoising
from surrogate_training.methods.warm_start import StartError
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer

Make = Callable[..., Any]
NET = {"features": [], "widths": [8], "encoder_blocks": [1], "decoder_blocks": []}
BRIEF = {"steps": 4, "warmup": 1, "shards": 1}


@pytest.fixture(name="trainer", scope="module")
def a_residual_run(
    make_recipe: Make, data_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Trainer:
    """Not yet trained, begun from a regression run."""
    folder = tmp_path_factory.mktemp("residual")
    regression = make_recipe(model=NET, optimiser=BRIEF)
    Trainer(regression, RunFolder(folder / "mean"), root=data_root).train()
    method = {"kind": "residual-edm", "start": str(folder / "mean")}
    recipe = make_recipe(method=method, model=NET, optimiser=BRIEF)
    return Trainer(recipe, RunFolder(folder / "residual"), root=data_root)


def test_what_is_drawn_has_unit_size_over_training(trainer: Trainer) -> None:
    method = trainer.method
    assert isinstance(method, ResidualDenoising)
    pairs = trainer.source.pairs
    frames = torch.stack([torch.from_numpy(pairs.pair(i).copy()) for i in range(len(pairs))], 1)
    batch = Batch(frames)
    given, _ = method.generator.condition(method.scaling.normalise(batch.u1), ())
    drawn = method._drawn(batch, given)
    torch.testing.assert_close(drawn.square().mean((0, 2, 3)), torch.ones(5), rtol=1e-3, atol=0)


def test_a_draw_of_zero_is_the_mean(trainer: Trainer) -> None:
    model = trainer.method.generator
    assert isinstance(model.mean, torch.nn.Module)
    x = torch.randn(2, 5, 8, 8)
    known, _ = RunFolder(trainer.run.path.parent / "mean").model()
    given, _ = model.condition(x, ())  # type: ignore[operator]
    torch.testing.assert_close(given.mean, known.standardised(x))
    with torch.no_grad():
        y = model(x, torch.randn(2, 5, 8, 8))
    assert not torch.allclose(y, known(x), atol=1e-3)


def test_training_leaves_the_mean_as_it_is_and_improves_the_rest(
    trainer: Trainer, data_root: Path
) -> None:
    trainer.train()
    run = trainer.run
    trained, step = run.model()
    known, _ = RunFolder(run.path.parent / "mean").model()
    assert step == 4
    kept = trained.mean.state_dict()  # type: ignore[operator, union-attr]
    assert all(torch.equal(kept[n], v) for n, v in known.state_dict().items())
    assert torch.equal(trained.get_buffer("scale"), trainer.model.get_buffer("scale"))
    net = trained.net.state_dict()
    assert net["exit.conv.weight"].abs().max() > 0  # it began at zero


def test_it_needs_a_run_to_begin_from(make_recipe: Make, data_root: Path, tmp_path: Path) -> None:
    recipe = make_recipe(method={"kind": "residual-edm"}, model=NET, optimiser=BRIEF)
    with pytest.raises(StartError, match="begins from another run"):
        Trainer(recipe, RunFolder(tmp_path), root=data_root)
