"""consistency: one evaluation draws what the teacher needs many for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.diffusion.samplers import consistency, heun
from surrogate_training.methods.consistency import Consistency
from surrogate_training.methods.denoising import Denoising
from surrogate_training.methods.method import GENERATOR
from surrogate_training.methods.registry import make_method
from surrogate_training.methods.warm_start import StartError, take_over
from surrogate_training.models.generative import GenerativeModel
from surrogate_training.recipe import RecipeError
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer
from torch import Tensor

Make = Callable[..., Any]
NET = {"features": [], "widths": [24], "encoder_blocks": [1], "decoder_blocks": [], "stem": 1}
BRIEF = {"steps": 2, "warmup": 1, "shards": 1}


def make(make_recipe: Make, statistics: Statistics, **method: Any) -> Denoising:
    torch.manual_seed(0)
    data = {"fields": [{"name": "rho"}], "augment": {}}
    recipe = make_recipe(method=method, model=NET, data=data, sampler={"steps": [1, 2, 4]})
    made = make_method(recipe, replace(statistics, shape=(4, 4)))
    assert isinstance(made, Denoising)
    return made


def two_valued(method: Denoising) -> tuple[Tensor, Batch]:
    """States that are all alike, and frames whose increments are 1 everywhere, or -1."""
    w = (torch.randint(2, (32, 1, 1, 1)) * 2.0 - 1).expand(-1, -1, 4, 4)
    u1 = method.scaling.get_buffer("mean").expand_as(w)
    return w, Batch(torch.stack([u1, method.scaling.frame(u1, w)]))


def fit(method: Denoising, *, steps: int, rate: float = 5e-3) -> None:
    parameters = [p for p in method.networks[GENERATOR].parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(parameters, lr=rate)
    for step in range(steps):
        _, batch = two_valued(method)
        loss = method.loss(GENERATOR, method.prepare(batch, step=step), step=step).total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        for group in optimiser.param_groups:
            group["lr"] = rate * (1 - step / steps)


@torch.no_grad()
def distance(method: Denoising, steps: int) -> float:
    """Wasserstein distance of draws to the two values, as often the one as the other."""
    torch.manual_seed(2)
    drawn = method.generator.variant(steps).standardised(*noise_for(method, 512))
    values = drawn.mean((1, 2, 3)).sort().values
    return float((values - torch.linspace(-1, 1, 512).sign()).abs().mean())


def noise_for(method: Denoising, count: int) -> tuple[Tensor, ...]:
    x = torch.zeros(count, 1, 4, 4)  # the mean of the states, normalised
    return (x, *method.generator.more_inputs(x, None))


def test_few_evaluations_draw_two_values_where_the_teacher_draws_their_mean(
    make_recipe: Make, statistics: Statistics
) -> None:
    teacher = make(make_recipe, statistics, kind="flow")
    fit(teacher, steps=300)
    student = make(make_recipe, statistics, kind="consistency", process={"kind": "flow"}, levels=4)
    assert isinstance(student, Consistency)
    for network in (student.generator, student.teacher):
        take_over(network, teacher.generator)
    fit(student, steps=200)
    assert distance(teacher, 1) > 0.6
    assert distance(student, 1) < 0.5 * distance(teacher, 1)
    assert distance(student, 2) < distance(teacher, 2)


@pytest.mark.parametrize("kind", ["ddpm", "edm", "flow"])
def test_the_teachers_steps_are_those_of_heuns_sampler(
    make_recipe: Make, statistics: Statistics, kind: str
) -> None:
    method = make(make_recipe, statistics, kind="consistency", process={"kind": kind}, levels=5)
    assert isinstance(method, Consistency)
    for parameter in method.teacher.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    _, batch = two_valued(method)
    given = method._given(batch, method.teacher)
    path, model = method.path, method.teacher

    def denoise(x: Tensor, time: float) -> Tensor:
        t = x.new_full((1,), time)
        return model.process.denoised(model.answer(x, t, given), x, t)

    with torch.no_grad():
        x = path.sigmas[0] * torch.randn(32, 1, 4, 4)
        expected = heun(denoise, x, path)
        for i in range(len(path)):
            x, end = method._teacher_step(x, torch.full((32,), i), given)
            assert end.all() == (i == len(path) - 1)
    torch.testing.assert_close(x, expected, rtol=1e-4, atol=1e-4)


def test_it_stops_at_levels_that_it_was_trained_at(
    make_recipe: Make, statistics: Statistics
) -> None:
    method = make(make_recipe, statistics, kind="consistency", process={"kind": "edm"}, levels=8)
    assert isinstance(method, Consistency)
    process = method.generator.process
    for n in (1, 2, 3, 8):
        schedule = process.schedule(n)
        assert len(schedule) == n
        assert schedule.times[0] == method.path.times[0]
        assert set(schedule.times) <= set(method.path.times)
    seen: list[float] = []
    noise = [torch.zeros(1, 1, 2, 2)] * 3
    drawn = consistency(
        lambda x, t: seen.append(t) or x + 1, noise[0], process.schedule(4), noise=noise
    )  # each draw is noised again, here by nothing, and kept
    assert float(drawn.mean()) == 4.0
    assert seen == list(process.schedule(4).times[:-1])


def test_a_run_keeps_its_teacher_and_needs_no_other_folder_to_go_on(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    before = make_recipe(
        method={"kind": "flow", "condition_dropout": 0.2}, model=NET, optimiser=BRIEF
    )
    folder = tmp_path / "teacher"
    Trainer(before, RunFolder(folder), root=data_root).train()
    method = {"kind": "consistency", "start": str(folder), "levels": 8}
    recipe = make_recipe(method=method, model=NET, optimiser=BRIEF)
    run = RunFolder(tmp_path / "student")
    trainer = Trainer(recipe, run, root=data_root)
    taught = {n: v.clone() for n, v in trainer.method.networks["teacher"].state_dict().items()}
    assert torch.equal(taught["net.exit.conv.weight"], trainer.model.net.exit.conv.weight)
    trainer.train(until=1)
    folder.rename(tmp_path / "gone")
    trainer = Trainer(recipe, run, root=data_root, resume=True)
    trainer.train()
    kept = trainer.method.networks["teacher"].state_dict()
    assert all(torch.equal(value, kept[name]) for name, value in taught.items())
    model, step = run.model()
    assert isinstance(model, GenerativeModel)
    assert (step, model.sampler) == (2, "consistency")
    assert model.noise_inputs == {"initial": 5, "later": 7 * 5}


def test_another_process_than_the_teachers_is_refused(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    before = make_recipe(method={"kind": "edm"}, model=NET, optimiser=BRIEF)
    Trainer(before, RunFolder(tmp_path / "teacher"), root=data_root).train()
    method = {"kind": "consistency", "start": str(tmp_path / "teacher")}
    recipe = make_recipe(method=method, model=NET, optimiser=BRIEF)
    with pytest.raises(StartError, match=r"method\.process"):
        Trainer(recipe, RunFolder(tmp_path / "student"), root=data_root)
    with pytest.raises(RecipeError, match="no more steps than levels"):
        make_recipe(method=method | {"levels": 4}, model=NET)
