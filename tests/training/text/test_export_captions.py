"""A captioned generative model as a bundle: its programs read the words, and the run time turns a caption into them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from captioned import WORDS, captioned_recipe
from exporting import OFF
from surrogate_training.config import Recipe
from surrogate_training.data.pairs import PairSet, open_sets
from surrogate_training.data.statistics import Statistics
from surrogate_training.export import export_model
from surrogate_training.methods.registry import make_generator
from surrogate_training.models.fields import FieldModel
from surrogate_training.predictor import Predictor
from surrogate_training.text.steering import draw

from surrogate import Surrogate
from surrogate.bundle.folder import check_bundle
from surrogate.reference import reference

GUIDED = {
    "method": {"kind": "flow", "condition_dropout": 0.1},
    "sampler": {"steps": [1, 2], "preset": 2, "guidance": 3.0},
    "model": {"stem": 1, "widths": [4], "encoder_blocks": [1], "decoder_blocks": []},
}


@dataclass(frozen=True)
class Made:
    """A bundle with what it was made from."""

    bundle: Path
    recipe: Recipe
    statistics: Statistics
    model: FieldModel
    test: PairSet

    def drawn(self, caption: str) -> np.ndarray:
        """What the model itself makes of the first test state."""
        predictor = Predictor(self.model, self.recipe, self.statistics)
        return draw(predictor, self.test.pair(0)[:1], [caption]).u2


@pytest.fixture(scope="module")
def made(
    shapes_root: Path, shapes_statistics: Statistics, tmp_path_factory: pytest.TempPathFactory
) -> Made:
    """Random weights: an untrained net ignores its condition."""
    recipe = captioned_recipe(**GUIDED)
    sets = open_sets(recipe.data, root=shapes_root)
    torch.manual_seed(0)
    model = make_generator(recipe, shapes_statistics)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    bundle = tmp_path_factory.mktemp("made") / "made.surrogate"
    model.eval().requires_grad_(False)
    facts = {"metrics": {}, "provenance": {}}
    export_model(model, recipe, shapes_statistics, sets, bundle, facts=facts)
    return Made(bundle, recipe, shapes_statistics, model, sets["test"])


def test_the_manifest_has_the_words(made: Made) -> None:
    manifest = check_bundle(made.bundle)
    assert manifest.text is not None
    assert manifest.text.model_dump() == {"length": 6, "vocabulary": ["<pad>", "<unknown>", *WORDS]}
    assert [p.name for p in manifest.parameters] == ["guidance"]


@pytest.mark.parametrize("caption", ["a large bright ring", "A SMALL, dark: circle!", ""])
def test_run_time_reference_and_model_draw_alike_by_a_caption(made: Made, caption: str) -> None:
    state = np.array(made.test.pair(0)[:1])
    given = {"caption": caption} if caption else {}
    with Surrogate.open(made.bundle, engine="torch", threads=1, guards=OFF) as model:
        found = model.predict(state, step=0, **given)
    truth = reference(made.bundle, state.astype(np.float64), step=0, guards=False, **given)
    np.testing.assert_allclose(found, truth, rtol=0, atol=1e-4)
    np.testing.assert_allclose(made.drawn(caption), truth, rtol=0, atol=1e-4)


def test_another_caption_is_another_frame(made: Made) -> None:
    frames = [made.drawn(c) for c in ("a large bright ring", "a small bright ring", "")]
    assert min(np.abs(frames[0] - frames[1]).max(), np.abs(frames[0] - frames[2]).max()) > 1e-3
