"""Guards measured from training accept what training and validation hold, and refuse what is far from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from surrogate_training.data.pairs import PairSet, open_sets
from surrogate_training.data.statistics import Statistics
from surrogate_training.export import export_run
from surrogate_training.guards import MARGIN, add_guards, refresh_guards
from surrogate_training.predictor import Predictor
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer

from surrogate.bundle.folder import check_bundle
from surrogate.bundle.manifest import Manifest
from surrogate.reference_guards import judge

SMALL = {"widths": [8, 8], "encoder_blocks": [0, 1], "decoder_blocks": [0]}


@pytest.fixture(scope="module")
def run(
    make_recipe: Callable[..., Any], data_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    made = RunFolder(tmp_path_factory.mktemp("run"))
    Trainer(make_recipe(optimiser={"steps": 3}, model=SMALL), made, root=data_root).train()
    return made


@pytest.fixture(scope="module")
def bundle(run: RunFolder, data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "smoke.surrogate"
    export_run(run, out, root=data_root)
    return out


@pytest.fixture(scope="module")
def sets(run: RunFolder, data_root: Path) -> dict[str, PairSet]:
    return open_sets(run.recipe().data, root=data_root)


def test_every_frame_of_training_and_validation_is_accepted(
    bundle: Path, sets: dict[str, PairSet]
) -> None:
    manifest = check_bundle(bundle)
    for part in ("train", "validation"):
        for i in range(len(sets[part])):
            pair = np.array(sets[part].pair(i))
            assert judge(manifest, pair[:1], pair[1:]).rejection is None


def test_the_models_own_validation_frames_are_accepted(
    bundle: Path, run: RunFolder, sets: dict[str, PairSet]
) -> None:
    manifest = check_bundle(bundle)
    predict = Predictor(run.model()[0], run.recipe(), run.statistics())
    for i in range(len(sets["validation"])):
        state = np.array(sets["validation"].pair(i)[:1])
        assert judge(manifest, state, predict(sets["validation"], i)).rejection is None


def test_a_threshold_is_the_largest_number_times_the_margin(
    bundle: Path, sets: dict[str, PairSet]
) -> None:
    manifest = check_bundle(bundle)
    trained = [f.trained_statistics for f in manifest.fields]
    distances = []
    for part in ("train", "validation"):
        for i in range(len(sets[part])):
            u = sets[part].pair(i)[0].astype(np.float64)
            for c, known in enumerate(trained):
                assert known is not None
                for value, (mean, deviation) in (
                    (u[c].mean(), known.mean[0]),
                    (u[c].std(), known.std[0]),
                ):
                    distances.append(abs(value - mean) / deviation)
    assert manifest.guards.statistics is not None
    assert manifest.guards.statistics.distance == pytest.approx(MARGIN * max(distances), rel=0.01)


def test_the_trained_jump_is_the_scale_of_the_increments(
    bundle: Path, statistics: Statistics
) -> None:
    for field in check_bundle(bundle).fields:
        expected = statistics.fields[field.name].increment_std
        assert field.trained_jump == pytest.approx([expected], rel=1e-6)


def test_a_constant_statistic_keeps_a_deviation(bundle: Path) -> None:
    for field in check_bundle(bundle).fields:
        assert field.trained_statistics is not None
        least = 0.01 * field.normalisation.std[0]
        for _, deviation in (*field.trained_statistics.mean, *field.trained_statistics.std):
            assert deviation >= least


@pytest.mark.parametrize("conserved", [True, False])
def test_conserved_fields_are_projected_and_no_others(
    bundle: Path, sets: dict[str, PairSet], *, conserved: bool
) -> None:
    body = check_bundle(bundle).model_dump(mode="json", exclude={"files"})
    first, *others = body["fields"]
    body["fields"] = [{**first, "conserved": conserved}, *others]
    made = add_guards(body, sets, [lambda pairs, i: pairs.pair(i)[:1]])["guards"]
    assert made["policy"]["conserved"] == ("project" if conserved else "reject")
    assert (made["conserved"] is not None) == conserved


def test_refreshing_restores_guards_that_were_taken_away(
    bundle: Path, run: RunFolder, data_root: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "old.surrogate"
    exported = check_bundle(bundle)
    old = json.loads((bundle / "manifest.json").read_text())
    for field in old["fields"]:
        del field["trained_statistics"], field["trained_jump"]
    old["guards"] = {"bounds": old["guards"]["bounds"]}
    copy.mkdir()
    for name in exported.files:
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_bytes((bundle / name).read_bytes())
    Manifest.model_validate(old).write(copy / "manifest.json")
    refreshed = refresh_guards(run, copy, root=data_root)
    assert refreshed.guards == exported.guards
    assert refreshed.fields == exported.fields
    assert refreshed.files["programs/torchscript.pt"] == exported.files["programs/torchscript.pt"]
    check_bundle(copy)


def test_another_runs_bundle_is_not_refreshed(
    bundle: Path, data_root: Path, make_recipe: Callable[..., Any], tmp_path: Path
) -> None:
    other = RunFolder(tmp_path / "other")
    Trainer(make_recipe(optimiser={"steps": 4}, model=SMALL), other, root=data_root).train()
    with pytest.raises(ValueError, match="not exported from"):
        refresh_guards(other, bundle, root=data_root)
