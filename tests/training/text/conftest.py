"""A captioned data set that is made in a moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from captioned import CELLS, captioned_recipe
from surrogate_training.data.pairs import grid_of, open_sets
from surrogate_training.data.statistics import Statistics, measure
from surrogate_training.text import shapes


@pytest.fixture(scope="session")
def shapes_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the data set."""
    root = tmp_path_factory.mktemp("captioned")
    shapes.write(root / "shapes", train=4, held=1, channels=1, cells=CELLS)
    return root


@pytest.fixture(scope="session")
def shapes_statistics(shapes_root: Path) -> Statistics:
    """Statistics of its training part."""
    pairs = open_sets(captioned_recipe().data, root=shapes_root)["train"]
    return measure(pairs, grid_of([pairs]))
