"""Models exported from made-up data, with all that they were made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import magnetic
import numpy as np
import torch
from surrogate_training.config import Recipe
from surrogate_training.data.pairs import Grid
from surrogate_training.data.statistics import Statistics, measure
from surrogate_training.export import export_model
from surrogate_training.methods.registry import make_generator
from surrogate_training.models.fields import FieldModel
from surrogate_training.models.scaling import Scaling

from surrogate import Surrogate
from surrogate.bundle.manifest import Manifest
from surrogate.noise import noise
from surrogate.reference import reference

OFF = dict.fromkeys(["finite", "bounds", "range", "statistics", "jump", "spread"])
"""Guards of a run time that refuses nothing."""


@dataclass(frozen=True)
class Exported:
    """A bundle with what it was made from."""

    bundle: Path
    manifest: Manifest
    recipe: Recipe
    statistics: Statistics
    model: FieldModel
    test: magnetic.ArrayPairs
    validation: magnetic.ArrayPairs


def export(folder: Path, model: dict[str, Any], *, cells: int, dt: bool, **more: Any) -> Exported:
    """Train nothing, shake the weights, export; `more` are keywords of ``magnetic_recipe``."""
    recipe = magnetic.magnetic_recipe(model, parameters=(magnetic.DT,) if dt else (), **more)
    sizes = {"train": 4, "validation": 1, "test": 2}
    sets = {
        part: magnetic.ArrayPairs(recipe, count=n, cells=cells, seed=n) for part, n in sizes.items()
    }
    sets["test"].stored[0] *= 3  # far from what training has seen
    grid = Grid((cells, cells), (1.0, 1.0), 4.0, {})
    statistics = measure(sets["train"], grid)
    torch.manual_seed(0)
    made = make_generator(recipe, statistics)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.03 * torch.randn(parameter.shape))
        x, given = torch.randn(2, 3, cells, cells), sets["train"].parameters(0)
        parameters = None if given is None else torch.tensor(given).repeat(2, 1)
        made.train()(x, *made.more_inputs(x, parameters))  # batch statistics
    made.eval().requires_grad_(False)
    out = folder / "made.surrogate"
    manifest = export_model(
        made, recipe, statistics, sets, out, facts={"metrics": {}, "provenance": {}}
    )
    return Exported(out, manifest, recipe, statistics, made, sets["test"], sets["validation"])


def check_run_time(made: Exported, *, dt: float | None = None, step: int = 0) -> None:
    """The bundle opened by the library, the float64 reference, and model and Scaling agree."""
    state = np.array(made.test.pair(0)[:1])  # (1, 3, ny, nx)
    given = {} if dt is None else {"parameters": [dt]}
    with Surrogate.open(made.bundle, engine="torch", threads=1, guards=OFF) as run_time:
        found = run_time.predict(state, step=step, **given)
    truth = reference(made.bundle, state.astype(np.float64), step=step, guards=False, **given)
    scaling = Scaling(made.recipe, made.statistics)
    u = torch.from_numpy(state)
    more = [torch.tensor([[dt]])] if dt is not None else []
    for channels in made.model.noise_inputs.values():
        more.append(torch.from_numpy(noise(state.shape[2:], step=step, channels=channels))[None])
    own = scaling.state(u, scaling.frame(u, made.model(scaling.normalise(u), *more))).numpy()
    scale = made.statistics.fields["br"].std
    np.testing.assert_allclose(found[:, 1] / scale, truth[:, 1] / scale, rtol=0, atol=1e-4)
    np.testing.assert_allclose(own[:, 1] / scale, truth[:, 1] / scale, rtol=0, atol=1e-4)
    assert np.abs(found[:, 1] - state[:, 1]).max() > 0.01 * scale
    for conditions in (found, own, truth.astype(np.float32)):
        assert np.array_equal(conditions[:, [0, 2]], state[:, [0, 2]])
