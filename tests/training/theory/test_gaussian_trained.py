"""A linear process, u' = A u + L e in each cell: trained methods draw N(A u, L Lᵀ) given u, its closed form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from surrogate_training.models.scaling import Scaling
from surrogate_training.recipe import parse_recipe
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer
from torch import Tensor

CELLS, MEMBERS = 8, 64
A = np.array([[0.7, -0.4], [0.3, 0.6]])
S = np.array([[0.30, 0.18], [0.18, 0.20]])  # = L Lᵀ: the two fields' noises correlate by 0.73
METHODS: dict[str, dict[str, Any]] = {
    "ddpm-epsilon": {"method": {"kind": "ddpm", "prediction": "epsilon"}},
    "ddpm-sample": {"method": {"kind": "ddpm", "prediction": "sample"}},
    "ddpm-v": {"method": {"kind": "ddpm", "prediction": "v"}},
    "ddpm-ancestral": {
        "method": {"kind": "ddpm", "prediction": "v"},
        "sampler": {"kind": "ddpm", "steps": [100], "preset": 100},
    },
    "edm": {"method": {"kind": "edm"}},
    "flow": {"method": {"kind": "flow"}},
    "interpolant": {
        "method": {"kind": "interpolant"},
        "sampler": {"kind": "auto", "steps": [32], "preset": 32},
    },
    "residual-edm": {"method": {"kind": "residual-edm", "start": "mean"}},
    "crps": {"method": {"kind": "crps", "members": 4}},
}


def write(folder: Path, *, trajectories: int = 5, frames: int = 240) -> None:
    """Trajectories of the process, from its stationary distribution after 20 steps."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    factor = np.linalg.cholesky(S)
    for n in range(trajectories):
        u = np.zeros((frames + 20, 2, CELLS, CELLS))
        for t in range(1, len(u)):
            noise = np.einsum("pq,qij->pij", factor, rng.standard_normal(u.shape[1:]))
            u[t] = np.einsum("pq,qij->pij", A, u[t - 1]) + noise
        with h5py.File(folder / f"trajectory_{n}.h5", "w") as file:
            file["u"], file["v"] = u[20:].swapaxes(0, 1).astype(np.float32)
            file["time"] = np.arange(frames, dtype=float)
            file.attrs.update({"lx": 1.0, "ly": 1.0})


def tree(**changes: Any) -> dict[str, Any]:
    """A recipe for a net that reads 5×5 cells, of which one matters."""
    return {
        "name": "linear",
        "data": {
            "path": "data",
            "fields": [{"name": "u"}, {"name": "v"}],
            "split": {"validation": 1, "test": 0},
            "augment": {"dihedral": False},
        },
        "model": {"stem": 1, "widths": [32], "encoder_blocks": [1], "decoder_blocks": []},
        "optimiser": {
            "steps": 1500,
            "batch": 16,
            "learning_rate": 4e-3,
            "warmup": 50,
            "ema": 0.99,
        },
        "sampler": {"kind": "dpmpp_2m", "steps": [32], "preset": 32},
        "run": {
            "threads": 1,
            "log_every": 500,
            "validate_every": 5000,
            "validation_pairs": 1,
            "checkpoint_every": 5000,
        },
    } | changes


@torch.no_grad()
def ensembles(run: RunFolder, states: Tensor) -> Tensor:
    """MEMBERS draws (M, B, 2, ny, nx) given each state (B, 2, ny, nx)."""
    model, _ = run.model()
    scaling = Scaling(run.recipe(), run.statistics())
    torch.manual_seed(1)
    x = scaling.normalise(states)
    return torch.stack(
        [scaling.frame(states, model(x, *model.more_inputs(x, None))) for _ in range(MEMBERS)]
    )


def compare(members: Tensor, states: Tensor) -> dict[str, float]:
    """Errors of mean and covariance, relative to the truth's spread, and a correlation that must not be."""
    mean = torch.einsum("pq,bqij->bpij", torch.from_numpy(A).float(), states)
    error, within = ((members.mean(0) - mean)[None], members - members.mean(0))
    covariance = _products(within) * MEMBERS / (MEMBERS - 1)  # (2, 2)
    # what so few members leave of the mean's error, whatever the net, is taken off
    bias = np.trace(_products(error)) - np.trace(covariance) / MEMBERS
    return {
        "mean": float(np.sqrt(max(bias, 0.0) / np.trace(S))),
        "variance": float(np.abs(np.diag(covariance) / np.diag(S) - 1).max()),
        "covariance": float(np.linalg.norm(covariance - S) / np.linalg.norm(S)),
        "neighbours": float((within * within.roll(1, -1)).mean() / within.square().mean()),
    }


def _products(u: Tensor) -> np.ndarray:
    """Mean of u uᵀ over the cells of (M, B, 2, ny, nx), (2, 2)."""
    rows = u.movedim(2, -1).flatten(0, -2).double().numpy()
    return rows.T @ rows / len(rows)


def trained(folder: Path, name: str) -> tuple[RunFolder, Tensor]:
    """A run, and states that its ensembles begin from."""
    write(folder / "data")
    changes = METHODS[name]
    if changes["method"].get("start"):
        regression = tree(method={"kind": "regression", "loss": "mse", "noise": 0.0})
        # by 1500 steps it would know 960 frames by heart, and miss less of them than of others
        regression["optimiser"] |= {"steps": 250}
        Trainer(parse_recipe(regression), RunFolder(folder / "mean"), root=folder).train()
    run = RunFolder(folder / "run")
    Trainer(parse_recipe(tree(**changes)), run, root=folder).train()
    with h5py.File(folder / "data" / "trajectory_0.h5") as file:
        return run, torch.from_numpy(np.stack([file["u"][:4], file["v"][:4]], 1))


@pytest.mark.full
@pytest.mark.parametrize("name", METHODS)
def test_mean_and_covariance_are_those_of_the_closed_form(name: str, tmp_path: Path) -> None:
    run, states = trained(tmp_path, name)
    found = compare(ensembles(run, states), states)
    # 256 cells and 64 members: chance alone is 0.008 of the mean's error and 0.015 of the variance's
    assert found["mean"] < 0.1
    if name == "crps":  # a score of one cell and field at a time does not see how two go together
        assert found["variance"] < 0.2
    else:
        assert found["variance"] < 0.1
        assert found["covariance"] < 0.1
        assert abs(found["neighbours"]) < 0.03
