"""Method clip in the trainer, its run folder, and its text encoder in other trainings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from captioned import WORDS, captioned_recipe
from surrogate_training.config import Recipe
from surrogate_training.data.pairs import PairSet, grid_of, open_sets
from surrogate_training.data.statistics import Statistics, measure
from surrogate_training.methods.registry import make_method
from surrogate_training.methods.warm_start import StartError
from surrogate_training.models.fields import FieldModel
from surrogate_training.predictor import Predictor
from surrogate_training.recipe import RecipeError
from surrogate_training.runfolder import RunFolder
from surrogate_training.text.embedding import CaptionEmbedding
from surrogate_training.text.evaluation import evaluate_retrieval
from surrogate_training.text.matcher import Matcher
from surrogate_training.text.start import start_text
from surrogate_training.text.steering import draw, judged, measured, shuffled
from surrogate_training.trainer import Trainer

CLIP = {
    "method": {"kind": "clip", "widths": [16, 24], "embedding": 16},
    "optimiser": {"steps": 60, "batch": 30, "learning_rate": 6e-3, "warmup": 5, "ema": 0.9},
}


@pytest.fixture(scope="module")
def clip_root(shapes_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set's folder with a clip run in ``clip``, trained in seconds."""
    root = tmp_path_factory.mktemp("clip")
    (root / "shapes").symlink_to(shapes_root / "shapes")
    torch.set_num_threads(1)
    Trainer(captioned_recipe(**CLIP), RunFolder(root / "clip"), root=root).train()
    return root


def test_captions_and_pairs_find_one_another_after_seconds(clip_root: Path) -> None:
    run = RunFolder(clip_root / "clip")
    found = evaluate_retrieval(run, root=clip_root)
    assert found == json.loads(run.evaluation_file.read_text())
    assert found["pairs"] == 18
    assert found["caption_chance1"] == 1 / 18
    assert found["caption_top5"] > 0.6
    assert found["field_top5"] > 0.6
    assert found["new"]["caption_chance1"] == 1 / 18
    records = map(json.loads, run.metrics_file.read_text().splitlines())
    (validation,) = (r for r in records if r["kind"] == "validation")
    assert validation["error"] == 1 - (validation["caption_top1"] + validation["field_top1"]) / 2


def test_a_clip_run_is_no_generator(clip_root: Path) -> None:
    with pytest.raises(
        ValueError, match=r"predict no frame to score or export; name its run as text\.start"
    ):
        RunFolder(clip_root / "clip").model()


def test_another_training_begins_from_its_text_encoder(
    clip_root: Path, shapes_statistics: Statistics
) -> None:
    recipe = captioned_recipe(text={"start": "clip"})
    method = make_method(recipe, shapes_statistics)
    start_text(method, recipe, clip_root)
    theirs, _ = RunFolder(clip_root / "clip").network()
    assert isinstance(theirs, Matcher)
    mine = method.generator.embedding
    assert isinstance(mine, CaptionEmbedding)
    for a, b in zip(mine.text.parameters(), theirs.text.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"text": {"start": "nowhere"}}, "no trained run in"),
        ({"text": {"start": "clip", "layers": 2}}, "with text.layers 1, given 2"),
        (
            {
                "text": {"start": "clip"},
                "data": {"captions": {"file": "captions.csv", "vocabulary": [*WORDS, "x"]}},
            },
            r"with data\.captions\.vocabulary .* given",
        ),
    ],
)
def test_a_start_that_does_not_fit_is_refused_by_name(
    clip_root: Path, shapes_statistics: Statistics, changes: dict, words: str
) -> None:
    data = captioned_recipe().data.model_dump() | changes.pop("data", {})
    recipe = captioned_recipe(data=data, **changes)
    with pytest.raises(StartError, match=words):
        start_text(make_method(recipe, shapes_statistics), recipe, clip_root)


def test_a_start_from_another_method_is_refused(
    clip_root: Path, shapes_root: Path, shapes_statistics: Statistics
) -> None:
    Trainer(captioned_recipe(), RunFolder(clip_root / "regression"), root=clip_root).train()
    recipe = captioned_recipe(text={"start": "regression"})
    with pytest.raises(StartError, match="method regression, expected one of method clip"):
        start_text(make_method(recipe, shapes_statistics), recipe, clip_root)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": {"captions": None}, "method": {"kind": "clip"}}, "method clip needs captions"),
        ({"data": {"captions": None}, "text": {"start": "x"}}, r"text\.start needs captions"),
        ({"method": {"kind": "pix2pix"}}, "discriminator does not read captions"),
        (
            {"method": {"kind": "clip"}, "run": {"samples_every": 5}},
            "method clip predicts no frames to show",
        ),
        ({"text": {"width": 10, "heads": 4}}, "10 is no multiple of text.heads 4"),
    ],
)
def test_recipes_that_cannot_be_are_refused_by_name(changes: dict, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        captioned_recipe(**changes)


def steps(recipe: Recipe, root: Path, out: Path) -> FieldModel:
    trainer = Trainer(recipe, RunFolder(out), root=root)
    trainer.train()
    return trainer.method.generator


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_encoder_stays_as_it_is_and_a_free_one_learns(
    clip_root: Path, tmp_path: Path, frozen: bool
) -> None:
    # the last layer and the modulation start at zero: the third step is the first that reaches the encoder
    recipe = captioned_recipe(
        text={"start": "clip", "frozen": frozen}, method={"kind": "flow"}, optimiser={"steps": 4}
    )
    model = steps(recipe, clip_root, tmp_path / "run")
    theirs, _ = RunFolder(clip_root / "clip").network()
    assert isinstance(theirs, Matcher)
    assert isinstance(model.embedding, CaptionEmbedding)
    pairs = zip(model.embedding.text.parameters(), theirs.text.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs) == frozen
    assert (
        RunFolder(tmp_path / "run").model()[1] == 4
    )  # and the run is read back without that folder


def disturbed(recipe: Recipe, statistics: Statistics) -> FieldModel:
    """A generator whose every weight is random: an untrained one ignores its condition."""
    torch.manual_seed(0)
    model = make_method(recipe, statistics).generator
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return model.eval()


@torch.no_grad()
@pytest.mark.parametrize("kind", ["regression", "flow"])
def test_captions_change_the_output_sample_by_sample(
    shapes_statistics: Statistics, kind: str
) -> None:
    recipe = captioned_recipe(method={"kind": kind}, sampler={"steps": [2], "preset": 2})
    model = disturbed(recipe, shapes_statistics)
    x = torch.randn(1, 1, 16, 16).expand(3, -1, -1, -1)
    tokens = torch.tensor([[2.0, 3, 4, 0, 0, 0], [2, 5, 4, 0, 0, 0], [2, 3, 4, 0, 0, 0]])
    noise = [torch.randn(1, n, 16, 16).expand(3, -1, -1, -1) for n in model.noise_inputs.values()]
    y = model(x, tokens, *noise)
    torch.testing.assert_close(y[0], y[2], rtol=0, atol=1e-6)
    assert (y[0] - y[1]).abs().max() > 1e-4


@torch.no_grad()
def test_scalar_parameters_stand_before_the_tokens(
    shapes_statistics: Statistics, shapes_root: Path
) -> None:
    data = captioned_recipe().data.model_dump() | {"parameters": [{"name": "dt"}]}
    recipe = captioned_recipe(data=data)
    pairs = open_sets(recipe.data, root=shapes_root)["train"]
    given = torch.from_numpy(pairs.parameters(0))[None]
    assert given[0, 0] == 1
    embedding = disturbed(recipe, measure(pairs, grid_of([pairs]))).embedding
    assert isinstance(embedding, CaptionEmbedding)
    silent = given.clone()
    silent[:, 1:] = 0
    assert embedding.scalars is not None
    assert torch.equal(embedding(silent), embedding.scalars(given[:, :1]))
    assert not torch.equal(embedding(given), embedding(silent))


def test_frames_are_judged_by_encoders_and_by_measure(
    clip_root: Path, shapes_statistics: Statistics
) -> None:
    recipe = captioned_recipe(method={"kind": "flow"}, sampler={"steps": [1], "preset": 1})
    pairs = open_sets(recipe.data, root=clip_root)["test"]
    states = pairs.pair(0)[:1].repeat(18, 0)
    captions = [pairs.caption(n) for n in range(len(pairs))]
    predictor = Predictor(disturbed(recipe, shapes_statistics), recipe, shapes_statistics)
    drawn = draw(predictor, states, captions, batch=7)
    assert drawn.u2.shape == (18, 1, 16, 16)
    matcher, _ = RunFolder(clip_root / "clip").network()
    assert isinstance(matcher, Matcher)
    assert 0 <= judged(matcher, recipe, drawn)["caption_top1"] < 0.5  # the weights are random
    truth = type(drawn)(*(pairs_of(pairs, k) for k in (0, 1)), tuple(captions))
    assert measured(truth)["colour"] == 1
    assert measured(shuffled(truth))["all"] < 0.3 < measured(truth)["all"]


def pairs_of(pairs: PairSet, k: int) -> np.ndarray:
    return np.stack([pairs.pair(n)[k] for n in range(len(pairs))])
