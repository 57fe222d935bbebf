"""Search spaces: what they say, and that mistakes are told with their place before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from surrogate_training.recipe import RecipeError
from surrogate_training.tune.space import build_recipe, load_space

Write = Callable[..., Path]
SEARCHES = Path(__file__).resolve().parents[3] / "training" / "searches"


@pytest.mark.parametrize("path", sorted(SEARCHES.glob("*.yaml")), ids=lambda path: path.stem)
def test_our_own_search_spaces_fit_their_recipes(path: Path) -> None:
    space, recipe = load_space(path)
    assert recipe.is_file()
    assert space.space


def test_values_of_a_trial_reach_its_recipe(write_space: Write) -> None:
    sections = [{"widths": [4], "encoder_blocks": [1], "decoder_blocks": []}, {"preset": "small"}]
    space, recipe = load_space(
        write_space(
            set={"optimiser.ema": 0.5},
            space={
                "model": {"choice": sections},
                "optimiser.learning_rate": {"log": [1e-5, 1e-2]},
            },
        )
    )
    made = build_recipe(space, recipe, {"model": sections[1], "optimiser.learning_rate": 1e-05})
    assert made.model.widths == (32, 64, 96)
    assert made.optimiser.learning_rate == 1e-05
    assert made.optimiser.ema == 0.5
    assert space.space["model"].labels[1] == '{"preset": "small"}'


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"space": {"optimiser.learning_rat": {"uniform": [1, 2]}}},
            "did you mean 'learning_rate'",
        ),
        ({"space": {"optimiser.ema": {"unifrom": [0, 1]}}}, "did you mean 'uniform'"),
        ({"space": {"optimiser.batch": {"integer": [2, 4]}}}, "did you mean 'int'"),
        ({"prunning": {}}, "did you mean 'pruning'"),
        ({"pruning": {"warmpu": 3}}, "did you mean 'warmup'"),
        (
            {"space": {"optimiser.ema": {"uniform": [0.5, 1.5]}}},
            r"optimiser.ema = 1.5 does not fit",
        ),
        ({"space": {"optimiser.ema": {"log": [0, 0.9]}}}, "log needs values above 0"),
        ({"space": {"optimiser.ema": {"uniform": [0.9, 0.1]}}}, "low < high"),
        ({"space": {"optimiser.ema": {}}}, "exactly one of uniform, log, int, choice"),
        ({"space": {"optimiser.ema": {"log": [1, 2], "choice": [1]}}}, "exactly one of"),
        ({"space": {"optimiser.ema": {"choice": [0.5, 0.5]}}}, "values that differ"),
        ({"space": {}}, "space: "),
        ({"recipe": "none.yaml"}, "none.yaml does not exist"),
    ],
)
def test_mistakes_are_told_with_their_place(
    write_space: Write, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        load_space(write_space(**changes))


def test_a_missing_or_malformed_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="does not exist"):
        load_space(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(RecipeError, match="not valid YAML"):
        load_space(tmp_path / "bad.yaml")
