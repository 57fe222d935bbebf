"""Generative models: what they learn from, and what their programs do with noise and steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.denoising import Denoising
from surrogate_training.methods.method import GENERATOR
from surrogate_training.methods.registry import make_method
from surrogate_training.recipe import RecipeError, parse_recipe
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer
from torch import Tensor

PIX2PIX = Path(__file__).resolve().parents[2] / "training" / "recipes" / "pix2pix_256.yaml"
Make = Callable[..., Any]
NET = {"features": [], "widths": [8], "encoder_blocks": [1], "decoder_blocks": []}
KINDS: list[dict[str, str]] = [
    {"kind": "flow"},
    {"kind": "edm"},
    *({"kind": "ddpm", "prediction": what} for what in ("epsilon", "sample", "v")),
]


def make(make_recipe: Make, statistics: Statistics, **method: Any) -> Denoising:
    """A method with random weights, the last layer too."""
    torch.manual_seed(0)
    made = make_method(make_recipe(method=method, model=NET), statistics)
    assert isinstance(made, Denoising)
    for parameter in made.generator.net.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return made


@pytest.fixture(name="batch")
def a_batch() -> Batch:
    """Two pairs of five fields."""
    return Batch(torch.randn(2, 2, 5, 8, 8, generator=torch.Generator().manual_seed(1)))


@pytest.mark.parametrize("method", KINDS)
def test_the_right_answer_to_a_noised_frame_denoises_it(
    make_recipe: Make, statistics: Statistics, method: dict[str, str]
) -> None:
    process = make(make_recipe, statistics, **method).generator.process
    w, noise = torch.randn(2, 4, 1, 4, 4).unbind()  # (B, P, ny, nx) each
    t = process.times(4, w.device)
    x = process.noised(w, noise, t)
    found = process.denoised(process.target(w, noise, t), x, t)
    torch.testing.assert_close(found, w, rtol=0, atol=2e-3)


@pytest.mark.parametrize("method", KINDS)
def test_what_the_net_sees_and_answers_has_unit_variance(
    make_recipe: Make, statistics: Statistics, method: dict[str, str]
) -> None:
    torch.manual_seed(0)
    process = make(make_recipe, statistics, **method).generator.process
    w, noise = torch.randn(2, 2000, 1, 4, 4).unbind()
    t = process.times(2000, w.device)
    seen = process.shown(process.noised(w, noise, t), t)
    answer = process.target(w, noise, t)
    # on a straight path x_t has variance t² + (1 - t)², and the velocity 2
    low, high = (0.6, 2.1) if method["kind"] == "flow" else (0.95, 1.05)
    assert low < float(seen.var()) < high
    assert low < float(answer.var()) < high


def test_the_answer_to_a_frame_gives_that_frame(
    make_recipe: Make, statistics: Statistics, batch: Batch
) -> None:
    method = make(make_recipe, statistics, kind="flow")
    x, w = method.scaling.normalise(batch.u1), method.scaling.answer(batch.u1, batch.u2)
    frame = method.scaling.frame(batch.u1, method.generator.output(x, w))
    torch.testing.assert_close(frame, method.scaling.predicted(batch.u2), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_a_program_makes_as_many_evaluations_as_its_steps(
    make_recipe: Make, statistics: Statistics, batch: Batch, steps: int
) -> None:
    for kind in ("flow", "edm", "ddpm"):
        model = make(make_recipe, statistics, kind=kind).generator.variant(steps)
        calls: list[int] = []
        handle = model.net.register_forward_hook(lambda *_: calls.append(1))  # noqa: B023
        model(*_inputs(model, batch))
        handle.remove()
        assert len(calls) == steps, kind


def test_frames_follow_from_the_noise_and_differ_with_it(
    make_recipe: Make, statistics: Statistics, batch: Batch
) -> None:
    model = make(make_recipe, statistics, kind="flow").generator
    x, first = _inputs(model, batch)
    second = torch.randn_like(first)
    assert torch.equal(model(x, first), model(x, first))
    assert not torch.allclose(model(x, first), model(x, second))


def test_flow_trains_in_a_recipe(make_recipe: Make, data_root: Path, tmp_path: Path) -> None:
    recipe = make_recipe(method={"kind": "flow"}, model=NET, optimiser={"steps": 30, "shards": 1})
    run = RunFolder(tmp_path)
    trainer = Trainer(recipe, run, root=data_root)
    batch = trainer.source.step(0)

    @torch.no_grad()
    def loss() -> float:
        torch.manual_seed(0)
        return float(
            trainer.method.loss(GENERATOR, trainer.method.prepare(batch, step=0), step=0).total
        )

    before = loss()
    trainer.train()
    assert loss() < 0.9 * before
    model, step = run.model()
    assert step == 30
    assert model.noise_inputs == {"initial": 5}


def test_a_net_without_a_place_for_the_noise_level_is_refused() -> None:
    tree = yaml.safe_load(PIX2PIX.read_text()) | {"method": {"kind": "flow"}}
    with pytest.raises(RecipeError, match="residual_unet"):
        parse_recipe(tree)


def test_guidance_needs_training_without_condition(make_recipe: Make) -> None:
    with pytest.raises(RecipeError, match="condition_dropout"):
        make_recipe(method={"kind": "flow"}, model=NET, sampler={"guidance": 2.0})


def _inputs(model: Any, batch: Batch) -> tuple[Tensor, Tensor]:
    x = batch.u1
    noise = torch.randn(len(x), 5, *x.shape[2:], generator=torch.Generator().manual_seed(3))
    return x, noise
