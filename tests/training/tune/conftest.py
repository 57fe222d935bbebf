"""A search over the smoke recipe: a tiny net, six steps a trial."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from surrogate_training.config import Recipe
from surrogate_training.tune.objective import Objective
from surrogate_training.tune.space import load_space

SPACE: dict[str, Any] = {
    "recipe": "recipe.yaml",
    "space": {
        "optimiser.learning_rate": {"log": [1.0e-4, 1.0e-2]},
        "optimiser.batch": {"int": [2, 6], "step": 2},
        "model.activation": {"choice": ["silu", "gelu"]},
    },
    "pruning": {"kind": "none"},
}


@pytest.fixture
def write_space(make_recipe: Callable[..., Recipe], tmp_path: Path) -> Callable[..., Path]:
    """Write a recipe and a search space beside it, and return the space's path."""
    recipe = make_recipe(
        model={"widths": [8], "encoder_blocks": [1], "decoder_blocks": []},
        optimiser={"steps": 6, "warmup": 1, "shards": 1},
        run={"threads": 1, "log_every": 3, "validate_every": 2, "checkpoint_every": 2},
    )
    tree = recipe.model_dump(mode="json", exclude_unset=True)
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(tree))

    def write(**changes: Any) -> Path:
        path = tmp_path / "space.yaml"
        path.write_text(yaml.safe_dump(SPACE | changes))
        return path

    return write


@pytest.fixture
def make_objective(write_space: Callable[..., Path], data_root: Path) -> Callable[..., Objective]:
    """An objective whose search lies in a folder of the given path."""

    def make(out: Path, **changes: Any) -> Objective:
        space, recipe = load_space(write_space(**changes))
        return Objective(space, recipe, out, root=data_root)

    return make
