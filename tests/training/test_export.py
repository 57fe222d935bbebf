"""A run becomes a bundle whose programs are the trained model, or nothing."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import surrogate_training
import torch
from surrogate_training import export, parity
from surrogate_training.data.pairs import open_sets
from surrogate_training.export import ParityError, export_run
from surrogate_training.programs import load_portable, load_torchscript
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer

from surrogate.bundle.folder import check_bundle
from surrogate.bundle.manifest import Manifest
from surrogate.bundle.tensors import read_tensors

SMALL = {"widths": [8, 8], "encoder_blocks": [0, 1], "decoder_blocks": [0]}


@pytest.fixture(scope="module")
def run(
    make_recipe: Callable[..., Any], data_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    made = RunFolder(tmp_path_factory.mktemp("run"))
    Trainer(make_recipe(optimiser={"steps": 5}, model=SMALL), made, root=data_root).train()
    return made


@pytest.fixture(scope="module")
def bundle(run: RunFolder, data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "smoke.surrogate"
    export_run(run, out, root=data_root)
    return out


def test_the_bundle_is_whole_and_says_what_it_is(bundle: Path, run: RunFolder) -> None:
    manifest = check_bundle(bundle)
    assert isinstance(manifest, Manifest)
    assert [f.name for f in manifest.fields] == ["rho", "vx", "vy", "p", "az"]
    assert [f.staggering for f in manifest.fields] == ["cell"] * 4 + ["corner"]
    assert manifest.grid.multiple_of == [4, 4]
    assert manifest.grid.boundary == ["periodic", "periodic"]
    assert manifest.time.step == pytest.approx(0.004)
    assert manifest.locality.stride == [4, 4]
    assert not manifest.locality.reduces_over_space
    assert manifest.metrics["persistence_error"] > manifest.metrics["error"] > 0
    assert manifest.provenance["recipe"]["name"] == "smoke"
    assert sorted(p.relative_to(bundle).as_posix() for p in bundle.rglob("*") if p.is_file()) == [
        "card.md", "example.safetensors", "manifest.json", "programs/portable.pt2", "programs/torchscript.pt",
    ]  # fmt: skip
    assert "| az | 1 | corner |" in (bundle / "card.md").read_text()


def test_a_manifest_without_a_sampler_has_none_of_its_keys(bundle: Path) -> None:
    manifest: dict[str, Any] = json.loads((bundle / "manifest.json").read_text())
    assert {"sampler", "text"}.isdisjoint(manifest)
    assert [p["name"] for p in manifest["programs"]] == ["portable", "torchscript"]
    assert all({"steps", "method"}.isdisjoint(program) for program in manifest["programs"])
    assert manifest["guards"]["spread"] is None


def test_both_programs_are_the_trained_model_on_any_grid_and_batch(
    bundle: Path, run: RunFolder
) -> None:
    model, _ = run.model()
    programs = [
        load_portable(bundle / "programs" / "portable.pt2"),
        load_torchscript(bundle / "programs" / "torchscript.pt"),
    ]
    for shape in ((1, 5, 32, 32), (3, 5, 8, 20), (2, 5, 40, 16)):
        x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
        for program in programs:
            torch.testing.assert_close(program(x), model(x), rtol=0, atol=1e-5)


def test_the_example_is_what_the_programs_return(bundle: Path) -> None:
    example = read_tensors(bundle / "example.safetensors")
    assert example["input"].shape == (1, 5, 32, 32)
    y = load_torchscript(bundle / "programs" / "torchscript.pt")(
        torch.from_numpy(example["input"].copy())
    )
    tolerance = check_bundle(bundle).example.tolerance  # type: ignore[union-attr]
    assert np.abs(y.detach().numpy() - example["expected"]).max() < 0.1 * tolerance


def test_the_run_time_forms_the_same_frame_as_training(
    bundle: Path, run: RunFolder, data_root: Path
) -> None:
    from surrogate_training.models.scaling import Scaling

    from surrogate.reference import reference

    recipe, statistics = run.recipe(), run.statistics()
    model, _ = run.model()
    u1 = torch.from_numpy(open_sets(recipe.data, root=data_root)["test"].pair(1)[:1].copy())
    scaling = Scaling(recipe, statistics)
    ours = scaling.frame(u1, model(scaling.normalise(u1)))
    np.testing.assert_allclose(reference(bundle, u1.numpy()), ours.numpy(), rtol=0, atol=1e-5)


def test_a_program_that_differs_is_not_exported(
    run: RunFolder, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = export.save_torchscript

    def tampered(model: torch.nn.Module, *args: Any) -> None:
        other, _ = run.model()
        with torch.no_grad():
            next(other.net.exit.parameters()).add_(0.1)
        original(other, *args)

    monkeypatch.setattr(export, "save_torchscript", tampered)
    with pytest.raises(ParityError, match="torchscript differs"):
        export_run(run, tmp_path / "bad.surrogate", root=data_root)
    assert not list(tmp_path.iterdir())


def test_disagreement_with_the_float64_reference_is_not_exported(
    run: RunFolder, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "TOLERANCE", 1e-12)
    monkeypatch.setattr(export, "check_programs", lambda *a, **k: {})
    with pytest.raises(ParityError, match="float64 reference"):
        export_run(run, tmp_path / "bad.surrogate", root=data_root)
    assert not list(tmp_path.iterdir())


def test_the_name_must_end_in_surrogate(run: RunFolder, data_root: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ends in \.surrogate"):
        export_run(run, tmp_path / "model", root=data_root)


def test_the_guards_are_wide_and_leave_the_gauge_free(bundle: Path) -> None:
    manifest = check_bundle(bundle)
    assert sorted(manifest.guards.bounds) == ["p", "rho", "vx", "vy"]
    for field in manifest.fields[:4]:
        low, high = field.trained_range[0]
        bounds = manifest.guards.bounds[field.name]
        assert bounds.lower is not None
        assert bounds.upper is not None
        assert bounds.lower < low
        assert bounds.upper > high


def test_no_file_of_the_bundle_holds_a_path_of_the_machine(bundle: Path) -> None:
    package = Path(surrogate_training.__file__).parent
    traces = [b"site-packages", str(package).encode(), str(Path.home()).encode() + b"/"]
    for path in bundle.rglob("*"):
        contents = {path.name: path.read_bytes()} if path.is_file() else {}
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                contents |= {name: archive.read(name) for name in archive.namelist()}
        for name, content in contents.items():
            for trace in traces:
                assert trace not in content, f"{path.name}: {name} holds {trace!r}"
