"""Recipes of an autoencoder and of a model of its latents, on the synthetic data; the runs are fixtures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from surrogate_training.config import Recipe
from surrogate_training.recipe import parse_recipe

SMOKE = Path(__file__).resolve().parents[1] / "training" / "recipes" / "smoke.yaml"
LATENTS = {"factor": 4, "channels": 8, "width": 8, "blocks": 1}
NET = {"kind": "dit", "patch": 1, "width": 16, "depth": 1, "heads": 2}
AUTOENCODER = ".runs/vae"
"""Where the fixture ``vae_run`` stands, relative to the data's root."""


def smoke_with(sections: dict[str, Any]) -> Recipe:
    """Two fields of the smoke recipe's data with other sections; it is not generated."""
    tree = yaml.safe_load(SMOKE.read_text())
    del tree["data"]["generate"]
    tree["data"] |= {"fields": [{"name": "vx"}, {"name": "vy"}], "augment": {"dihedral": False}}
    return parse_recipe({**tree, **sections})


def vae_recipe() -> Recipe:
    """Seconds of an autoencoder."""
    return smoke_with(
        {
            "model": {"kind": "autoencoder", "latents": LATENTS},
            "method": {"kind": "vae", "gradient": 0.01},
            "optimiser": {"steps": 60, "batch": 4, "learning_rate": 1e-2, "warmup": 5, "ema": 0.8},
            "run": {"threads": 1, "validate_every": 20},
        }
    )


def latent_recipe(
    *, method: dict[str, Any] | None = None, sampler: dict[str, Any] | None = None, **model: Any
) -> Recipe:
    """Four steps of a flow of its latents; keys of the model are given by name."""
    return smoke_with(
        {
            "model": {**NET, "latents": LATENTS, "target": "frame", **model},
            "method": {"kind": "flow", "autoencoder": AUTOENCODER, **(method or {})},
            "optimiser": {"steps": 4, "batch": 2, "learning_rate": 1e-3, "warmup": 0},
            "run": {"threads": 1},
            "sampler": sampler or {"steps": [2, 3], "preset": 2},
        }
    )
