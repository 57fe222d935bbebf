"""Bundles of every kind of generator predict what was trained, and leave conditions as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import magnetic
import numpy as np
import pytest
import torch
from exporting import OFF, Exported, check_run_time, export
from surrogate_training.models.scaling import Scaling
from surrogate_training.predictor import Predictor

from surrogate import Surrogate
from surrogate.bundle.folder import check_bundle
from surrogate.bundle.tensors import read_tensors
from surrogate.lower.lowering import lower
from surrogate.verification import verify_bundle

NOISY = {**magnetic.PIX2PIX, "dropout": "noise"}


@pytest.fixture(scope="module")
def flowing(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A residual U-Net with conditions, dt and a field scaled by asinh."""
    folder = tmp_path_factory.mktemp("flowing")
    return export(folder, magnetic.SHALLOW, cells=16, dt=True)


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """pix2pix's net on its own grid, one cell at the innermost level, with masks from noise and a tanh."""
    return export(tmp_path_factory.mktemp("noisy"), NOISY, cells=8, dt=False)


def test_conditions_and_parameters_are_in_the_manifest(flowing: Exported) -> None:
    manifest = check_bundle(flowing.bundle)
    source, br, vlon = manifest.fields
    assert source.prediction is vlon.prediction is None
    assert source.scaling is None
    assert br.scaling is not None
    assert (br.scaling.kind, br.scaling.softening) == ("asinh", 50.0)
    assert br.prediction is not None
    assert br.prediction.kind == "increment"
    assert br.trained_jump
    assert source.trained_jump == vlon.trained_jump == []
    (dt,) = manifest.parameters
    assert (dt.name, dt.unit, dt.range, dt.preset) == ("dt", "h", (2.0, 6.0), 4.0)
    assert manifest.time.step == 4.0
    assert manifest.grid.fixed_shape is None
    assert manifest.grid.boundary == ["open", "periodic"]
    assert not manifest.locality.reduces_over_space
    example = read_tensors(flowing.bundle / "example.safetensors")
    assert {name: e.shape for name, e in example.items()} == {
        "input": (1, 3, 16, 16), "parameters": (1, 1), "expected": (1, 1, 16, 16),
    }  # fmt: skip
    card = (flowing.bundle / "card.md").read_text()
    assert "never predicted: source, vlon" in card
    assert "Parameter dt: 2 … 6 h in training" in card


def test_the_run_time_predicts_as_trained_for_any_dt(flowing: Exported) -> None:
    check_run_time(flowing, dt=2.5)


def test_the_example_is_a_state_that_the_guards_accept(flowing: Exported) -> None:
    scaling = Scaling(flowing.recipe, flowing.statistics)
    example = read_tensors(flowing.bundle / "example.safetensors")["input"]
    refused, *others = (
        scaling.normalise(torch.from_numpy(pairs.pair(i)[:1])).numpy()
        for pairs, i in ((flowing.test, 0), (flowing.test, 1), (flowing.validation, 0))
    )
    assert not np.array_equal(example, refused)
    assert any(np.array_equal(example, other) for other in others)
    assert all(check.passed for check in verify_bundle(flowing.bundle))


def test_another_dt_predicts_another_frame(flowing: Exported) -> None:
    state = np.array(flowing.test.pair(0)[0])
    with Surrogate.open(flowing.bundle, engine="torch", threads=1, guards=OFF) as run_time:
        frames = [run_time.predict(state, parameters=[dt]) for dt in (2.0, 4.0, 6.0)]
        preset = run_time.predict(state)
    assert np.array_equal(preset, frames[1])
    assert not np.array_equal(frames[0], frames[2])


def test_a_net_of_whole_frames_has_its_grid_and_is_gathered(noisy: Exported) -> None:
    manifest = check_bundle(noisy.bundle)
    assert manifest.grid.fixed_shape == [8, 8]
    assert manifest.locality.reduces_over_space
    assert manifest.locality.stride == [8, 8]
    assert [(n.name, n.channels) for n in manifest.noise] == [("dropout", 2)]
    prediction = manifest.fields[1].prediction
    s = noisy.statistics.fields["br"]
    assert prediction is not None
    assert (prediction.kind, prediction.scale, prediction.offset) == ("frame", [s.std], [s.mean])
    assert read_tensors(noisy.bundle / "example.safetensors")["noise.dropout"].shape == (1, 2, 8, 8)
    card = (noisy.bundle / "card.md").read_text()
    assert "[8, 8] cells and no other" in card
    assert "blocks are gathered" in card


def test_the_run_time_draws_the_masks_that_training_would(noisy: Exported) -> None:
    check_run_time(noisy, step=3)


def test_another_step_draws_other_masks_and_the_same_step_the_same(noisy: Exported) -> None:
    state = np.array(noisy.test.pair(0)[0])
    with Surrogate.open(noisy.bundle, engine="torch", threads=1, guards=OFF) as run_time:
        first, again, other = (run_time.predict(state, step=step) for step in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_running_statistics_are_frozen_in_the_programs(noisy: Exported) -> None:
    predict = Predictor(noisy.model, noisy.recipe, noisy.statistics)
    before = predict(noisy.test, 0)
    norm = next(m for m in noisy.model.modules() if isinstance(m, torch.nn.BatchNorm2d))
    assert int(norm.num_batches_tracked) == 1
    assert np.array_equal(predict(noisy.test, 0), before)
    assert not norm.training


@pytest.mark.full
@pytest.mark.parametrize("kind", ["flowing", "noisy"])
def test_a_bundle_with_parameters_or_noise_is_lowered(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    made: Exported = request.getfixturevalue(kind)
    lowered = lower(made.bundle, engine="torchscript", out=tmp_path, threads=[1])
    assert lowered.verdict.passed
    assert lowered.verdict.worst < 0.1


@pytest.mark.full
@pytest.mark.parametrize(
    ("model", "cells", "dt"),
    [
        ({**magnetic.CONVNEXT, "target": "frame"}, 24, True),
        ({**magnetic.UNET, "norm": "instance"}, 16, True),
        ({**NOISY, "norm": "none"}, 24, True),
        ({**magnetic.DIT, "boundary": ["periodic", "replicate"]}, 12, True),
    ],
)
def test_every_other_kind_predicts_as_trained(
    tmp_path: Path, model: dict[str, Any], cells: int, dt: bool
) -> None:
    made = export(tmp_path, model, cells=cells, dt=dt)
    assert made.manifest.grid.fixed_shape is None
    check_run_time(made, dt=3.0 if dt else None)


@pytest.mark.full
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_transformer_is_gathered_and_lowered(tmp_path: Path, precision: str) -> None:
    made = export(tmp_path, magnetic.DIT, cells=16, dt=False)
    assert made.manifest.locality.reduces_over_space
    lowered = lower(
        made.bundle, engine="torchscript", out=tmp_path / "out", threads=[1], precision=precision
    )
    assert lowered.verdict.passed
