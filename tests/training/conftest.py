"""What the training tests share: tiny synthetic data and recipes that run in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import latents
import pytest
import torch
import yaml
from surrogate_training.config import Recipe
from surrogate_training.data import synthetic
from surrogate_training.data.pairs import grid_of, open_sets
from surrogate_training.data.statistics import Statistics, measure
from surrogate_training.models.fields import FieldModel
from surrogate_training.recipe import parse_recipe
from surrogate_training.runfolder import RunFolder, new_run
from surrogate_training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ROOT / "training" / "recipes" / "smoke.yaml"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny nets are faster on one thread; restore the setting afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the smoke recipe's data set."""
    root = tmp_path_factory.mktemp("data")
    synthetic.write(root / ".data" / "smoke", trajectories=12, frames=4, cells=32)
    return root


def build_recipe(**changes: Any) -> Recipe:
    """The smoke recipe with sections updated, e.g. ``optimiser={"steps": 5}``; data is not generated."""
    tree = yaml.safe_load(SMOKE.read_text())
    del tree["data"]["generate"]
    tree["run"]["threads"] = 1
    for section, values in changes.items():
        if isinstance(values, dict):
            tree[section] = tree.get(section, {}) | values
        else:
            tree[section] = values
    return parse_recipe(tree)


@pytest.fixture(scope="session")
def statistics(data_root: Path) -> Statistics:
    """Statistics of the synthetic training set."""
    recipe = build_recipe()
    pairs = open_sets(recipe.data, root=data_root)["train"]
    return measure(pairs, grid_of([pairs]))


@pytest.fixture(scope="session")
def make_recipe() -> Callable[..., Recipe]:
    """Build a recipe: see build_recipe."""
    return build_recipe


@pytest.fixture(scope="session")
def random_model() -> Callable[..., FieldModel]:
    """Build a model with random weights: see build_random_model."""
    return build_random_model


def build_random_model(recipe: Recipe, statistics: Statistics, *, seed: int = 0) -> FieldModel:
    """A model whose every weight is random, the last layer too."""
    torch.manual_seed(seed)
    model = FieldModel(recipe, statistics)
    for parameter in model.parameters():
        if parameter.ndim == 4:
            torch.nn.init.normal_(parameter, std=0.5 / parameter[0].numel() ** 0.5)
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def vae_run(data_root: Path) -> RunFolder:
    """A short run of method ``vae``, the newest of its experiment's folder."""
    run = new_run(data_root / latents.AUTOENCODER)
    Trainer(latents.vae_recipe(), run, root=data_root).train()
    run.name_latest()
    return run
