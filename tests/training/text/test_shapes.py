"""The captioned shapes, and the measure that recognises them without a net."""

from __future__ import annotations

import numpy as np
import pytest
from captioned import captioned_recipe
from surrogate_training.data.pairs import open_sets
from surrogate_training.text import shapes
from surrogate_training.text.measure import measure
from surrogate_training.text.shapes import Shape


@pytest.mark.parametrize(("channels", "cells"), [(1, 32), (2, 32), (3, 32), (3, 64)])
def test_every_shape_is_recognised_by_measure(channels: int, cells: int) -> None:
    rng = np.random.default_rng(0)
    for shape in shapes.shapes(channels):
        before, after = shapes.pair(shape, channels=channels, cells=cells, rng=rng)
        assert measure(after - before).shape == shape


def test_nothing_is_measured_where_nothing_appeared() -> None:
    found = measure(np.zeros((3, 8, 8), np.float32))
    assert (found.area, found.roundness) == (0, 0)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_every_word_of_a_combination_that_is_held_out_is_trained_in_others(channels: int) -> None:
    every = shapes.shapes(channels)
    held = [s for s in every if shapes.is_held_out(s, channels)]
    known = [s for s in every if not shapes.is_held_out(s, channels)]
    assert 0.1 < len(held) / len(every) < 0.3
    for attribute in ("size", "colour", "form"):
        assert {getattr(s, attribute) for s in held} <= {getattr(s, attribute) for s in known}


def test_parts_differ_in_captions_as_promised(shapes_root) -> None:
    sets = open_sets(captioned_recipe().data, root=shapes_root)
    every = {s.caption for s in shapes.shapes(1)}
    held = {s.caption for s in shapes.shapes(1) if shapes.is_held_out(s, 1)}
    assert sets["test"].captions == every
    assert sets["train"].captions == sets["validation"].captions == every - held


def test_a_caption_stands_with_the_pair_that_shows_it(shapes_root) -> None:
    pairs = open_sets(captioned_recipe().data, root=shapes_root)["test"]
    for index in range(0, len(pairs), 5):
        before, after = pairs.pair(index)
        found = measure(after - before)
        asked = Shape.of(pairs.caption(index))
        assert found.area == pytest.approx(
            shapes.AREAS[asked.size], rel=0.35
        )  # 16² cells are coarse
        assert found.shape.colour == asked.colour
