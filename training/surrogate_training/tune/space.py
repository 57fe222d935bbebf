"""The search space: a recipe, and what may vary in it.

::

    recipe: ../recipes/smoke.yaml          # relative to this file
    set: {optimiser.steps: 200}            # the same in every trial; optional
    space:
      optimiser.learning_rate: {log: [1.0e-4, 1.0e-2]}
      optimiser.ema: {uniform: [0.9, 0.999]}
      optimiser.batch: {int: [4, 16], step: 4}
      model.block: {choice: [residual, convnext]}
    pruning: {kind: median}
"""

from __future__ import annotations

import difflib
import json
import math
import os
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from surrogate_training.config import Recipe, Section
from surrogate_training.recipe import RecipeError, load_recipe

Values = dict[str, Any]
"""A trial's values by the recipe's dotted keys."""

RANGES = {"uniform": "uniform", "log": "log", "int": "integer", "choice": "choice"}
"""Attribute of a parameter by its key."""


class Parameter(Section):
    """How one key of the recipe varies: exactly one of the first four.

    Attributes
    ----------
    uniform, log : (low, high)
        Real numbers, uniform themselves or in their logarithm.
    int : (low, high)
        Whole numbers, both ends included, every ``step``-th.
    choice : tuple
        Any values, sections too: ``model: {choice: [{preset: small}, {preset: medium}]}``.
    """

    uniform: tuple[float, float] | None = None
    log: tuple[float, float] | None = None
    integer: tuple[int, int] | None = Field(default=None, alias="int")
    step: int = Field(default=1, ge=1)
    choice: tuple[Any, ...] | None = None

    @model_validator(mode="after")
    def _one_range(self) -> Parameter:
        given = [key for key, name in RANGES.items() if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"expected exactly one of {', '.join(RANGES)}; given {given or 'none'}"
            )
        if self.choice is not None:
            if len(self.labels) != len(set(self.labels)) or not self.choice:
                raise ValueError(f"choice needs values that differ; given {list(self.choice)}")
            return self
        low, high = getattr(self, RANGES[given[0]])
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"{given[0]} needs [low, high] with low < high; given [{low}, {high}]")
        if self.log is not None and low <= 0:
            raise ValueError(f"log needs values above 0; given [{low}, {high}]")
        return self

    @property
    def labels(self) -> list[str]:
        """The choices as text, since back ends keep text but no sections or lists."""
        return [v if isinstance(v, str) else json.dumps(v) for v in self.choice or ()]

    def ends(self) -> list[Any]:
        """Values that show whether the key and its range fit the recipe: both ends, or all choices."""
        return list(self.choice or self.uniform or self.log or self.integer or ())


class Pruning(Section):
    """When a trial is given up, by its validations.

    Attributes
    ----------
    kind : {"median", "asha", "none"}
        Worse than the median of earlier trials at the same step; asynchronous successive halving (Li et al. 2020,
        arXiv:1810.05934); never.
    startup : int
        ``median``: trials that are never given up, to compare with.
    warmup : int
        Steps before which no trial is given up.
    reduction : int
        ``asha``: one in so many goes on from a rung to the next.
    """

    kind: Literal["median", "asha", "none"] = "median"
    startup: int = Field(default=4, ge=1)
    warmup: int = Field(default=0, ge=0)
    reduction: int = Field(default=3, ge=2)


class Space(Section):
    """A search space as its file gives it; ``recipe`` relative to that file."""

    recipe: str
    set: dict[str, Any] = Field(default_factory=dict)
    space: dict[str, Parameter] = Field(min_length=1)
    pruning: Pruning = Pruning()
    seed: int = Field(default=0, ge=0)


def load_space(path: str | os.PathLike[str]) -> tuple[Space, Path]:
    """Read and check a search space; return it and the path of its recipe.

    Raises
    ------
    RecipeError
        Where the file is missing or malformed, or a key or value does not fit the recipe.
    """
    file = Path(path)
    if not file.is_file():
        raise RecipeError(f"search space {file} does not exist")
    try:
        tree = yaml.safe_load(file.read_text())
        space = Space.model_validate(tree)
    except yaml.YAMLError as error:
        raise RecipeError(f"search space {file} is not valid YAML: {error}") from error
    except ValidationError as error:
        lines = [_explain(item) for item in error.errors(include_url=False)]
        raise RecipeError(f"{file}: " + "; ".join(lines)) from error
    recipe = file.parent / space.recipe
    first = {key: parameter.ends()[0] for key, parameter in space.space.items()}
    for key, parameter in space.space.items():
        for value in parameter.ends():
            try:
                build_recipe(space, recipe, first | {key: value})
            except RecipeError as error:
                raise RecipeError(f"{file}: {key} = {value!r} does not fit: {error}") from error
    return space, recipe


def build_recipe(space: Space, recipe: Path, values: Values) -> Recipe:
    """The recipe of a trial."""
    settings = {**space.set, **values}
    texts = [f"{key}={yaml.safe_dump(v, default_flow_style=True)}" for key, v in settings.items()]
    return load_recipe(recipe, overrides=tuple(texts))


def _explain(item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] != "extra_forbidden":
        return f"{where or 'search space'}: {item['msg']} (given {item['input']!r:.80})"
    sections: dict[str, type[Section]] = {"space": Parameter, "pruning": Pruning}
    section = sections.get(str(item["loc"][0]), Space)
    key = str(item["loc"][-1])
    valid = sorted(f.alias or name for name, f in section.model_fields.items())
    near = difflib.get_close_matches(key, valid, n=1, cutoff=0.0)[0]
    return f"{where}: unknown key {key!r}; did you mean {near!r}? Valid keys: {', '.join(valid)}"
