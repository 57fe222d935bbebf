"""Models of latents: what they take from an autoencoder's run, and that they need it no more afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from exporting import check_run_time, export
from latents import AUTOENCODER, LATENTS, NET, latent_recipe
from surrogate_training.data.batches import stored
from surrogate_training.data.pairs import open_sets
from surrogate_training.evaluation.evaluate import evaluate_run
from surrogate_training.grid import GridRule
from surrogate_training.methods.registry import make_method
from surrogate_training.methods.warm_start import StartError
from surrogate_training.models.latent import LatentModel
from surrogate_training.programs import (
    load_portable,
    load_torchscript,
    save_portable,
    save_torchscript,
)
from surrogate_training.recipe import RecipeError
from surrogate_training.runfolder import RunFolder, new_run
from surrogate_training.trainer import Trainer


@pytest.fixture(name="run", scope="module")
def a_latent_run(vae_run: RunFolder, data_root: Path) -> RunFolder:
    """Trained, with the autoencoder's run moved away since."""
    run = new_run(data_root / ".runs" / "latent")
    trainer = Trainer(latent_recipe(), run, root=data_root)
    trainer.train(until=2)
    away = (data_root / AUTOENCODER).rename(data_root / ".runs" / "away")
    try:
        Trainer(latent_recipe(), run, root=data_root, resume=True).train()
    finally:
        away.rename(data_root / AUTOENCODER)
    return run


def latent_model(run: RunFolder) -> LatentModel:
    model, _ = run.model()
    assert isinstance(model, LatentModel)
    return model


def test_the_autoencoder_is_the_runs_and_stays_so_in_training(
    run: RunFolder, vae_run: RunFolder
) -> None:
    kept, trained = latent_model(run).autoencoder.state_dict(), vae_run.model()[0].net.state_dict()
    assert all(torch.equal(kept[name], value) for name, value in trained.items())


def test_latents_have_mean_zero_and_deviation_one_over_training(
    run: RunFolder, data_root: Path
) -> None:
    method = make_method(run.recipe(), run.statistics())
    pairs = open_sets(run.recipe().data, root=data_root)["train"]
    batches = [stored(pairs, index) for index in range(len(pairs))]
    z = torch.cat([method.scaling.answer(b.u1, b.u2) for b in batches])
    latents = latent_model(run).drawn(z)
    assert latents.shape[1:] == (8, 8, 8)
    torch.testing.assert_close(latents.mean((0, 2, 3)), torch.zeros(8), rtol=0, atol=0.05)
    torch.testing.assert_close(latents.std((0, 2, 3)), torch.ones(8), rtol=0, atol=0.05)


def test_validation_and_evaluation_tell_what_the_autoencoder_alone_loses(
    run: RunFolder, vae_run: RunFolder, data_root: Path
) -> None:
    records = [json.loads(line) for line in run.metrics_file.read_text().splitlines()]
    (validation,) = [r for r in records if r["kind"] == "validation"]
    found = evaluate_run(run, root=data_root)
    floor = found["reconstruction"]["vrmse"]
    assert 0 < floor < 1
    assert validation["floor"] == pytest.approx(floor, rel=0.3)
    # of single frames, so nearly that of the autoencoder's own run, whose frames are those at t1
    own = evaluate_run(vae_run, root=data_root)["error"]
    assert floor == pytest.approx(own, rel=0.3)
    assert json.loads(run.evaluation_file.read_text())["reconstruction"]["vrmse"] == floor


def test_the_noise_of_a_latent_cell_is_that_of_its_cells(run: RunFolder) -> None:
    model = latent_model(run)
    assert model.noise_inputs == {"initial": 1}
    noise = torch.randn(1, 1, 16, 16)
    x = torch.randn(1, 2, 16, 16)
    _, (normals,) = model.condition(x, (noise,))
    assert normals.shape == (1, 8, 4, 4)
    assert torch.equal(normals[0, :, 1, 2], noise[0, 0, 4:6, 8:12].flatten())


@pytest.mark.parametrize("kind", ["flow", "edm", "ddpm"])
def test_a_stochastic_sampler_has_noise_for_each_of_its_steps(run: RunFolder, kind: str) -> None:
    sampler = {"kind": "ddpm" if kind == "ddpm" else "auto", "steps": [3], "preset": 3}
    shape = {**LATENTS, "channels": 20}  # more than a latent cell has cells
    recipe = latent_recipe(method={"kind": kind}, sampler=sampler, latents=shape)
    model = make_method(recipe, run.statistics()).generator
    expected = {"initial": 2} | ({"later": 4} if kind == "ddpm" else {})
    assert model.noise_inputs == expected
    x = torch.randn(2, 2, 16, 16)
    assert model(x, *model.more_inputs(x, None)).shape == (2, 2, 16, 16)


def exported_inputs(model: LatentModel) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the grid that programs are made on; the net's every weight is random from here on."""
    torch.manual_seed(0)
    for parameter in model.net.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    return torch.randn(1, 2, 32, 32), torch.randn(1, 1, 32, 32)


def check_on_another_grid(program: torch.nn.Module, model: LatentModel) -> None:
    x, noise = torch.randn(2, 2, 8, 20), torch.randn(2, 1, 8, 20)
    torch.testing.assert_close(program(x, noise), model(x, noise), rtol=0, atol=1e-5)


def test_a_script_made_on_one_grid_is_the_model_on_others(run: RunFolder, tmp_path: Path) -> None:
    model = latent_model(run)
    save_torchscript(model, exported_inputs(model), tmp_path / "torchscript.pt")
    check_on_another_grid(load_torchscript(tmp_path / "torchscript.pt"), model)


@pytest.mark.full
def test_a_program_made_on_one_grid_is_the_model_on_others(run: RunFolder, tmp_path: Path) -> None:
    model, rule = latent_model(run), GridRule.of(run.recipe(), (32, 32))
    assert rule.multiple == 4
    save_portable(model, exported_inputs(model), tmp_path / "portable.pt2", rule=rule)
    check_on_another_grid(load_portable(tmp_path / "portable.pt2"), model)


@pytest.mark.full
def test_the_run_time_draws_the_frame_that_the_model_draws(tmp_path: Path) -> None:
    net = {**NET, "target": "frame", "latents": LATENTS}
    flow = {"kind": "flow", "autoencoder": AUTOENCODER}
    sampler = {"steps": [1], "preset": 1}
    made = export(tmp_path, net, cells=16, dt=True, method=flow, sampler=sampler)
    assert made.manifest.locality.reduces_over_space
    assert [(n.name, n.channels) for n in made.manifest.noise] == [("initial", 1)]
    check_run_time(made, dt=3.0, step=2)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"target": "increment"}, "set target: frame"),
        ({"latents": None}, "give model.latents"),
        ({"method": {"autoencoder": ""}}, "set method.autoencoder"),
        ({"method": {"kind": "crps"}}, "drawn by ddpm, edm or flow"),
    ],
)
def test_a_recipe_that_cannot_draw_latents_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        latent_recipe(**changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": {"autoencoder": ".runs/nowhere"}}, "no trained run"),
        ({"method": {"autoencoder": ".runs/latent"}}, "a run of method flow"),
        ({"latents": {**LATENTS, "channels": 6}}, "model.latents"),
        ({"boundary": ["replicate", "periodic"]}, "model.boundary"),
    ],
)
def test_an_autoencoder_that_does_not_fit_is_refused(
    run: RunFolder, data_root: Path, changes: dict[str, Any], said: str
) -> None:
    run.name_latest()
    method = make_method(latent_recipe(**changes), run.statistics())
    with pytest.raises(StartError, match=said):
        method.start(data_root)
