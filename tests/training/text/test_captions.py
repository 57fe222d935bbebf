"""Where captions come from: a table, or a rule; and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import h5py
import numpy as np
import pytest
from captioned import WORDS, captioned_recipe
from surrogate_training.data import synthetic
from surrogate_training.data.batches import BatchSource
from surrogate_training.data.pairs import open_sets
from surrogate_training.recipe import RecipeError

from surrogate.text import tokens

RULE = [
    {"scalar": "viscosity", "edges": [0.1, 1.0], "words": ["inviscid", "viscous", "very viscous"]},
    {"field": "vx", "measure": "largest", "edges": [2.0], "words": ["calm", "Stormy"]},
    {"field": "rho", "measure": "mean", "edges": [5.0], "words": ["", "dense"]},
]


def ruled(rule: list, **captions):
    data = {
        "path": "runs",
        "fields": [{"name": "p"}],
        "captions": {"rule": rule} | captions,
        "split": {"validation": 1, "test": 1},
    }
    return captioned_recipe(data=data).data


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    synthetic.write(tmp_path / "runs", trajectories=4, frames=3, cells=8)
    for n, file in enumerate(sorted((tmp_path / "runs").glob("*.h5"))):
        with h5py.File(file, "a") as h5:
            h5.attrs["viscosity"] = [0.05, 0.1, 0.5, 2.0][n]
            h5["vx"][:] = np.ones((3, 8, 8)) * np.array([0.0, 3.0, -3.0])[:, None, None]
    return tmp_path


def rewrite(path: Path, change) -> None:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    rows = [changed for row in rows if (changed := change(row)) is not None]
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)


def test_a_rule_speaks_of_scalars_and_of_each_frame_of_a_field(runs: Path) -> None:
    sets = open_sets(ruled(RULE), root=runs)
    said = [[s.caption(n) for n in range(len(s))] for s in sets.values()]
    assert said == [
        [
            "inviscid calm",
            "inviscid Stormy",
            "viscous calm",
            "viscous Stormy",
        ],  # 0.1 is above its edge
        ["viscous calm", "viscous Stormy"],
        ["very viscous calm", "very viscous Stormy"],
    ]


def test_a_rule_brings_its_vocabulary(runs: Path) -> None:
    data = ruled(RULE, length=5)
    assert data.captions.text.vocabulary[2:] == [
        "calm",
        "dense",
        "inviscid",
        "stormy",
        "very",
        "viscous",
    ]
    pairs = open_sets(data, root=runs)["test"]
    np.testing.assert_array_equal(pairs.parameters(1), [6, 7, 5, 0, 0])


def test_token_ids_follow_the_scalar_parameters(shapes_root: Path) -> None:
    recipe = captioned_recipe()
    data = recipe.data.model_copy(update={"parameters": ()})
    plain = open_sets(data, root=shapes_root)["train"]
    with_dt = recipe.model_validate(
        {**recipe.model_dump(), "data": {**data.model_dump(), "parameters": [{"name": "dt"}]}}
    )
    both = open_sets(with_dt.data, root=shapes_root)["train"]
    ids = tokens(plain.caption(0), data.captions.text)
    np.testing.assert_array_equal(plain.parameters(0), ids)
    np.testing.assert_array_equal(both.parameters(0), [1.0, *ids])


def test_some_captions_are_left_out_in_training_and_always_the_same(
    shapes_root: Path, shapes_statistics
) -> None:
    data = captioned_recipe().data.model_dump()
    data["captions"]["dropout"] = 0.5
    recipe = captioned_recipe(data=data, optimiser={"batch": 100})
    pairs = open_sets(recipe.data, root=shapes_root)["train"]
    first, again = (BatchSource(pairs, recipe, shapes_statistics).step(0) for _ in range(2))
    np.testing.assert_array_equal(first.parameters, again.parameters)
    empty = (first.parameters == 0).all(1).float().mean()
    assert 0.35 < empty < 0.65
    clip = captioned_recipe(data=data, method={"kind": "clip"})
    kept = BatchSource(pairs, clip, shapes_statistics).step(0).parameters
    assert not (kept == 0).all(1).any()


def test_a_row_of_a_frame_goes_before_one_of_all_frames(runs: Path) -> None:
    table = runs / "runs" / "captions.csv"
    lines = ["file,trajectory,frame,caption"]
    lines += [f"trajectory_{n:06d}.h5,,,a circle" for n in range(4)]
    table.write_text("\n".join([*lines, "trajectory_000000.h5,0,1,a ring"]))
    data = captioned_recipe(
        data={
            "path": "runs",
            "fields": [{"name": "p"}],
            "split": {"validation": 1, "test": 1},
            "captions": {"file": "captions.csv", "vocabulary": WORDS},
        }
    ).data
    pairs = open_sets(data, root=runs)["train"]
    assert [pairs.caption(n) for n in range(3)] == ["a circle", "a ring", "a circle"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda row: None if row["frame"] == "0" and "000003" in row["file"] else row,
            "no caption of trajectory_000003",
        ),
        (
            lambda row: {**row, "caption": row["caption"].replace("ring", "blob")},
            r"lacks blob .* set it to \[a, small",
        ),
        (
            lambda row: {**row, "caption": "a " * 7},
            "has 7 words, expected 1 to data.captions.length .6.",
        ),
        (lambda row: {**row, "caption": "!"}, "has 0 words"),
        (lambda row: {**row, "trajectory": "x"}, "line 2: invalid literal"),
        (lambda row: {k: v for k, v in row.items() if k != "caption"}, "no column 'caption'"),
    ],
)
def test_a_wrong_table_is_refused_by_name(
    shapes_root: Path, tmp_path: Path, change, words: str
) -> None:
    (tmp_path / "shapes").mkdir()
    for file in (shapes_root / "shapes").iterdir():
        (tmp_path / "shapes" / file.name).write_bytes(file.read_bytes())
    rewrite(tmp_path / "shapes" / "captions.csv", change)
    with pytest.raises(ValueError, match=words):
        open_sets(captioned_recipe().data, root=tmp_path)


@pytest.mark.parametrize(
    ("captions", "words"),
    [
        ({}, "from a file or by a rule"),
        ({"file": "a.csv", "rule": RULE}, "from a file or by a rule"),
        ({"rule": RULE, "length": 3}, "captions of up to 4 words"),
        ({"file": "a.csv", "vocabulary": ["Big"]}, "'Big'"),
        ({"file": "a.csv", "vocabulary": ["big", "big"]}, "twice"),
        ({"rule": [{"edges": [1.0], "words": ["a", "b"]}]}, "a scalar or of a field"),
        ({"rule": [{"scalar": "x", "edges": [1.0], "words": ["a"]}]}, "one more words than edges"),
        ({"rule": [{"scalar": "x", "edges": [2.0, 1.0], "words": ["a", "b", "c"]}]}, "increasing"),
    ],
)
def test_a_wrong_section_is_refused_by_name(captions: dict, words: str) -> None:
    data = {"path": "runs", "fields": [{"name": "p"}], "captions": captions}
    with pytest.raises(RecipeError, match=words):
        captioned_recipe(data=data)


@pytest.mark.parametrize("phrase", [{"scalar": "viscosities"}, {"field": "vxx"}])
def test_a_rule_of_what_files_lack_names_it(runs: Path, phrase: dict) -> None:
    rule = [{**phrase, "edges": [1.0], "words": ["a", "b"]}]
    with pytest.raises(ValueError, match=r"data\.captions\.rule asks for it"):
        open_sets(ruled(rule), root=runs)
