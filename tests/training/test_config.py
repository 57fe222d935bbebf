"""Recipes: what is wrong with one is said with its place and the nearest valid key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from surrogate_training.recipe import RecipeError, load_recipe, parse_recipe

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ROOT / "training" / "recipes" / "smoke.yaml"


@pytest.mark.parametrize(
    "name", sorted(p.name for p in (ROOT / "training" / "recipes").glob("*.yaml"))
)
def test_every_recipe_of_the_repository_is_valid(name: str) -> None:
    recipe = load_recipe(ROOT / "training" / "recipes" / name)
    assert recipe.name == Path(name).stem


@pytest.mark.parametrize(
    ("override", "near"),
    [
        ("optimiser.learning_rat=1", "learning_rate"),
        ("model.width=[1]", "widths"),
        ("data.augment.translations=true", "translate"),
        ("dat.path=x", "data"),
    ],
)
def test_an_unknown_key_names_the_nearest_valid_one(override: str, near: str) -> None:
    with pytest.raises(RecipeError, match=f"did you mean '{near}'"):
        load_recipe(SMOKE, overrides=(override,))


def test_overrides_are_yaml() -> None:
    recipe = load_recipe(SMOKE, overrides=("optimiser.steps=7", "model.widths=[8, 8]"))
    assert recipe.optimiser.steps == 7
    assert recipe.model.widths == (8, 8)


def _beside(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_recipe_changes_its_base_section_by_section(tmp_path: Path) -> None:
    _beside(tmp_path, "smoke.yaml", SMOKE.read_text())
    middle = "base: smoke.yaml\nname: middle\noptimiser: {steps: 7}\n"
    _beside(tmp_path, "middle.yaml", middle)
    last = _beside(tmp_path, "last.yaml", "base: middle.yaml\nmethod: {kind: template}\n")
    before, after = load_recipe(SMOKE), load_recipe(last)
    assert (after.name, after.optimiser.steps, after.method.kind) == ("middle", 7, "template")
    assert after.optimiser.batch == before.optimiser.batch
    assert (after.data, after.model) == (before.data, before.model)


def test_recipes_that_build_on_each_other_are_refused(tmp_path: Path) -> None:
    _beside(tmp_path, "a.yaml", "base: b.yaml\n")
    path = _beside(tmp_path, "b.yaml", "base: a.yaml\n")
    with pytest.raises(RecipeError, match="builds on it"):
        load_recipe(path)


def test_a_base_that_is_missing_is_named(tmp_path: Path) -> None:
    path = _beside(tmp_path, "a.yaml", "base: gone.yaml\n")
    with pytest.raises(RecipeError, match=r"gone\.yaml does not exist"):
        load_recipe(path)


def test_a_recipe_is_frozen(make_recipe: Callable[..., Any]) -> None:
    with pytest.raises(ValidationError):
        make_recipe().seed = 3  # type: ignore[misc]


def test_a_feature_of_an_unknown_field_is_named(make_recipe: Callable[..., Any]) -> None:
    with pytest.raises(RecipeError, match="unknown field 'density'"):
        make_recipe(model={"features": ["density"]})


def test_levels_must_agree(make_recipe: Callable[..., Any]) -> None:
    with pytest.raises(RecipeError, match="2 levels"):
        make_recipe(model={"encoder_blocks": [1]})


def test_a_missing_recipe_and_broken_yaml_are_said(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="does not exist"):
        load_recipe(tmp_path / "none.yaml")
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(RecipeError, match="not valid YAML"):
        load_recipe(tmp_path / "broken.yaml")
    (tmp_path / "list.yaml").write_text("[1]")
    with pytest.raises(RecipeError, match="must be a mapping"):
        load_recipe(tmp_path / "list.yaml")


def test_a_recipe_survives_json(make_recipe: Callable[..., Any]) -> None:
    recipe = make_recipe()
    assert parse_recipe(yaml.safe_load(recipe.model_dump_json())) == recipe
