"""Reading recipes from YAML; every error says where, and an unknown key names the nearest valid one."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from surrogate_training.config import Recipe, Section

KINDS = {"model": "residual_unet", "method": "regression"}
"""Sections that have other keys for each kind, and the kind that they are where none is named."""


class RecipeError(ValueError):
    """A recipe that cannot be used; the text says where, what was given and what was expected."""


def load_recipe(path: str | os.PathLike[str], *, overrides: tuple[str, ...] = ()) -> Recipe:
    """Read a YAML recipe and apply ``key.sub=value`` overrides (values are YAML).

    A recipe may begin with ``base: OTHER.yaml``, beside it: its sections are then changes of the other's. A ``model``
    or ``method`` of another ``kind`` than the base's stands alone.

    Raises
    ------
    RecipeError
        If the file is missing, is not a mapping, or does not describe a valid recipe.
    """
    tree = _read(Path(path))
    for override in overrides:
        _override(tree, override)
    return parse_recipe(tree, where=str(path))


def _read(file: Path, *, below: tuple[Path, ...] = ()) -> dict[str, Any]:
    """A recipe's mapping, its base filled in; `below`: the recipes that it is a base of."""
    if not file.is_file():
        raise RecipeError(f"recipe {file} does not exist; recipes are in training/recipes/")
    try:
        tree = yaml.safe_load(file.read_text())
    except yaml.YAMLError as error:
        raise RecipeError(f"recipe {file} is not valid YAML: {error}") from error
    if not isinstance(tree, dict):
        raise RecipeError(f"recipe {file} must be a mapping of sections, got {type(tree).__name__}")
    if "base" not in tree:
        return tree
    base = file.parent / str(tree.pop("base"))
    if base in (file, *below):
        raise RecipeError(
            f"recipe {file}: base {base.name} is this recipe, or one that builds on it"
        )
    return _changed(_read(base, below=(file, *below)), tree)


def _changed(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A mapping with another's entries in place of its own, section by section."""
    result = dict(base)
    for key, value in changes.items():
        before = base.get(key)
        if not (isinstance(value, dict) and isinstance(before, dict)):
            result[key] = value
            continue
        kind = before.get("kind", KINDS.get(key))
        alone = key in KINDS and value.get("kind", kind) != kind
        result[key] = value if alone else _changed(before, value)
    return result


def parse_recipe(tree: dict[str, Any], *, where: str = "recipe") -> Recipe:
    """Validate a mapping; every error names its place, and an unknown key its nearest valid one."""
    try:
        return Recipe.model_validate(tree)
    except ValidationError as error:
        lines = [_explain(item) for item in error.errors(include_url=False)]
        raise RecipeError(f"{where}: " + "; ".join(lines)) from error


def _override(tree: dict[str, Any], text: str) -> None:
    key, equals, value = text.partition("=")
    if not equals:
        raise RecipeError(f"--set {text!r}: expected key=value, e.g. optimiser.steps=100")
    *parents, last = key.split(".")
    for parent in parents:
        tree = tree.setdefault(parent, {})
        if not isinstance(tree, dict):
            raise RecipeError(f"--set {text!r}: {parent!r} is not a section")
    tree[last] = yaml.safe_load(value)


def _explain(item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] != "extra_forbidden":
        return f"{where or 'recipe'}: {item['msg']} (given {item['input']!r:.80})"
    section, key = _section(item["loc"][:-1]), str(item["loc"][-1])
    valid = sorted(section.model_fields)
    near = difflib.get_close_matches(key, valid, n=1, cutoff=0.0)[0]
    return f"{where}: unknown key {key!r}; did you mean {near!r}? Valid keys: {', '.join(valid)}"


def _section(loc: tuple[Any, ...]) -> type[Section]:
    """Class of the section at ``loc``, found through the annotations."""
    section: type[Section] = Recipe
    found: list[type[Section]] = []
    for part in loc:
        tagged = [
            s for s in found if "kind" in s.model_fields and s.model_fields["kind"].default == part
        ]
        if tagged:  # one of several kinds of a section
            section, found = tagged[0], []
        elif isinstance(part, str) and part in section.model_fields:
            found = _sections(section.model_fields[part].annotation)
            section = found[0] if found else section
    return section


def _sections(annotation: Any) -> list[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [s for inner in get_args(annotation) for s in _sections(inner)]
