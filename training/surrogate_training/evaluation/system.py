"""What a model predicts, and the fields by which its frames are judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from surrogate.bundle.manifest import Manifest
from surrogate_training.config import Recipe
from surrogate_training.data.statistics import FieldStatistics, Statistics
from surrogate_training.metrics.relative import observed
from surrogate_training.recipe import parse_recipe

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ScoredField:
    """A predicted field, or a component of a potential's curl.

    Attributes
    ----------
    mean, std : float
        Of the training data; NaN for what is derived from a potential.
    limits : (float, float)
        Smallest and largest value in training; NaN where unknown.
    conserved : bool
        Whether its integral is constant in time.
    counted : bool
        Whether it enters means over fields: a potential is represented by its curl.
    """

    name: str
    unit: str
    mean: float
    std: float
    limits: tuple[float, float]
    conserved: bool
    counted: bool


@dataclass(frozen=True)
class System:
    """The frames of a model: channels, geometry, scored fields.

    Attributes
    ----------
    name : str
    channels : tuple of int
        The predicted fields among the channels of a state.
    fields : tuple of ScoredField
    recipe : Recipe, optional
        Of the training, where it is known.
    statistics : Statistics
        Of the predicted fields, as far as they are known.
    periodic : (bool, bool)
        (y, x).
    jump : float
        Time from t1 to t2, in `time_unit`.
    reconstructs : bool
        Whether the frame to be made is the one at t1 itself, as an autoencoder's.
    """

    name: str
    channels: tuple[int, ...]
    fields: tuple[ScoredField, ...]
    recipe: Recipe | None
    statistics: Statistics
    periodic: tuple[bool, bool]
    jump: float
    time_unit: str
    reconstructs: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the scored fields."""
        return tuple(f.name for f in self.fields)

    @property
    def counted(self) -> tuple[ScoredField, ...]:
        """Fields that enter means over fields."""
        return tuple(f for f in self.fields if f.counted)

    @property
    def spacing(self) -> tuple[float, float]:
        """(dy, dx)."""
        return self.statistics.spacing

    @property
    def softening(self) -> dict[str, float]:
        """Fields that the net sees through asinh, and where that turns from linear to logarithmic."""
        fields = () if self.recipe is None else self.recipe.predicted
        return {f.name: f.softening for f in fields if f.scaling == "asinh"}

    def predicted(self, state: NDArray[np.float32]) -> NDArray[np.float32]:
        """The predicted fields of states: (..., C, ny, nx) → (..., P, ny, nx)."""
        return state[..., list(self.channels), :, :]

    def observe(self, frame: NDArray[np.floating]) -> dict[str, Array]:
        """A frame (P, ny, nx) as scored fields by name, (ny, nx) each, in double."""
        u = np.asarray(frame, np.float64)
        if self.recipe is None or not self.recipe.potentials:
            return dict(zip(self.names, u, strict=True))
        made = observed(torch.from_numpy(u)[None], self.recipe, self.statistics)
        return {name: values[0].numpy() for name, values in made.items()}

    def constant(self, shape: tuple[int, int]) -> Array:
        """The frame (P, ny, nx) that is the training mean everywhere."""
        means = [f.mean for f in self.fields if not np.isnan(f.mean)]
        ny, nx = shape
        return np.tile(np.reshape(means, (-1, 1, 1)), (1, ny, nx))


def system_of_run(recipe: Recipe, statistics: Statistics) -> System:
    """What a run's model predicts."""
    fields = [
        ScoredField(
            f.name,
            f.unit,
            (s := statistics.fields[f.name]).mean,
            s.std,
            (s.minimum, s.maximum),
            f.conserved,
            f.name not in recipe.potentials,
        )
        for f in recipe.predicted
    ]
    boundary = recipe.model.boundary
    return System(
        recipe.name,
        recipe.predicted_channels,
        _with_curls(fields, recipe),
        recipe,
        statistics,
        (boundary[0] == "periodic", boundary[1] == "periodic"),
        statistics.jump,
        recipe.physics.time_unit,
        recipe.method.kind == "vae",
    )


def system_of_bundle(manifest: Manifest, bundle: Path) -> System:
    """What a bundle's model predicts, from its manifest.

    Raises
    ------
    ValueError
        If it is not two-dimensional.
    """
    if len(manifest.grid.axes) != 2:
        raise ValueError(
            f"{bundle}: a model on axes {manifest.grid.axes}; evaluation expects ['y', 'x']"
        )
    recipe = recipe_of(manifest, bundle)
    fields, channels, statistics, channel = [], [], {}, 0
    for f in manifest.fields:
        for k in range(f.components):
            if f.prediction is not None:
                name = f.name if f.components == 1 else f"{f.name}[{k}]"
                mean, std = f.normalisation.mean[k], f.normalisation.std[k]
                low, high = f.trained_range[k] if f.trained_range else (np.nan, np.nan)
                counted = recipe is None or name not in recipe.potentials
                fields.append(
                    ScoredField(name, f.unit, mean, std, (low, high), f.conserved, counted)
                )
                scale = f.prediction.scale[k]
                statistics[name] = FieldStatistics(mean, std, scale, 1.0, 1.0, low, high, low, high)
                channels.append(channel)
            channel += 1
    dy, dx = manifest.grid.spacing or (1.0, 1.0)
    y, x = (kind == "periodic" for kind in manifest.grid.boundary)
    return System(
        manifest.name,
        tuple(channels),
        tuple(fields) if recipe is None else _with_curls(fields, recipe),
        recipe,
        Statistics(statistics, (0, 0), (dy, dx), manifest.time.step, {}, 0),
        (y, x),
        manifest.time.step,
        manifest.time.unit,
    )


def recipe_of(manifest: Manifest, bundle: Path) -> Recipe | None:
    """The recipe that made a bundle, where its provenance says."""
    if "recipe" not in manifest.provenance:
        return None
    return parse_recipe(manifest.provenance["recipe"], where=f"{bundle}: provenance.recipe")


def _with_curls(fields: list[ScoredField], recipe: Recipe) -> tuple[ScoredField, ...]:
    """Each potential followed by the components of its curl, named as :func:`observed` names them."""
    made = []
    for f in fields:
        made.append(f)
        if f.name in recipe.potentials:
            suffix = f"_{f.name}" if len(recipe.potentials) > 1 else ""
            nan = float("nan")
            made += [
                ScoredField(f"{name}{suffix}", "1", nan, nan, (nan, nan), False, True)
                for name in ("bx", "by")
            ]
    return tuple(made)
