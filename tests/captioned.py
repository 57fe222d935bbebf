"""A recipe of captioned shapes on 16² cells: one channel, 18 captions of which 3 are held out."""

from __future__ import annotations

from typing import Any

from surrogate_training.config import Recipe
from surrogate_training.recipe import parse_recipe
from surrogate_training.text import shapes

WORDS = ["a", *shapes.AREAS, *shapes.COLOURS[1], *shapes.FORMS]
CELLS = 16


def captioned_recipe(**changes: Any) -> Recipe:
    """The recipe with sections updated, e.g. ``optimiser={"steps": 5}``."""
    tree: dict[str, Any] = {
        "name": "captioned",
        "data": {
            "path": "shapes",
            "fields": [{"name": "r"}],
            "captions": {"length": 6, "file": "captions.csv", "vocabulary": WORDS},
            "split": {"validation": 15, "test": 18},
        },
        "model": {"widths": [8], "encoder_blocks": [1], "decoder_blocks": []},
        "text": {"width": 16, "layers": 1, "heads": 2},
        "optimiser": {"steps": 2, "batch": 8, "warmup": 0},
        "run": {"threads": 1},
    }
    for section, values in changes.items():
        tree[section] = tree.get(section, {}) | values
    return parse_recipe(tree)
