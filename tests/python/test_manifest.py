"""The manifest as data: what a later version may add to schema 1, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import field, manifest
from flow_bundle import affine
from typer.testing import CliRunner

from surrogate import Surrogate, errors
from surrogate.bundle.folder import write_bundle
from surrogate.bundle.manifest import FieldSpec, Manifest, Program
from surrogate.cli import app

STUB = {"name": "stub", "engine": "stub", "format": "stub", "file": "programs/stub.json"}
LATER = {**STUB, "name": "graph", "engine": "onnxruntime", "format": "onnx", "device": "npu"}


def make_bundle(folder: Path, programs: list[dict[str, Any]], **more: Any) -> Path:
    """A bundle of one field; its programs share one file."""
    files = {"programs/stub.json": json.dumps(affine([1.0])).encode()}
    write_bundle(folder, files, **manifest("u", [field("u")], programs, **more))
    return folder


@pytest.mark.parametrize("key", ["engine", "format", "device", "precision"])
def test_names_of_a_program_are_free_and_not_empty(key):
    assert getattr(Program.model_validate({**STUB, key: "of tomorrow"}), key) == "of tomorrow"
    with pytest.raises(ValueError, match=key):
        Program.model_validate({**STUB, key: ""})


def test_a_program_of_a_later_version_is_passed_over_and_shown(tmp_path):
    bundle = make_bundle(tmp_path / "later.surrogate", [LATER, STUB])
    with Surrogate.open(bundle) as model:
        assert model.info.program == "stub"
        assert "'graph' (this version does not know format 'onnx')" in model.info.choice
    result = CliRunner().invoke(app, ["info", str(bundle)])
    assert result.exit_code == 0, result.output
    assert "onnx" in result.stdout


def test_a_bundle_of_only_such_programs_does_not_open_and_is_shown(tmp_path):
    bundle = make_bundle(tmp_path / "later.surrogate", [LATER])
    with pytest.raises(errors.UnsupportedError, match="does not know format 'onnx'"):
        Surrogate.open(bundle)
    result = CliRunner().invoke(app, ["info", str(bundle), "--json"])
    assert result.exit_code == 0, result.output
    assert "does not know format 'onnx'" in json.loads(result.stdout)["choice"]["error"]


def test_a_scaling_is_read_shown_and_otherwise_ignored(tmp_path):
    asinh = {"kind": "asinh", "softening": 50.0}
    scaled = {**field("u"), "scaling": asinh}
    files = {"programs/stub.json": json.dumps(affine([1.0])).encode()}
    bundle = tmp_path / "scaled.surrogate"
    write_bundle(bundle, files, **manifest("u", [scaled], [STUB]))
    assert Manifest.read(bundle / "manifest.json").fields[0].scaling.softening == 50.0
    with Surrogate.open(bundle) as model:
        u = np.linspace(-1, 1, 64).reshape(1, 8, 8)
        plain = make_bundle(tmp_path / "plain.surrogate", [STUB])
        with Surrogate.open(plain) as other:
            assert np.array_equal(model.predict(u), other.predict(u))
    shown = CliRunner().invoke(app, ["info", str(bundle)], env={"COLUMNS": "200"})
    assert "asinh (softening 50)" in shown.stdout


@pytest.mark.parametrize(
    "scaling", [{"kind": "log"}, {"kind": "asinh", "softening": 0}, {"kind": "asinh", "soft": 1}]
)
def test_a_wrong_scaling_is_refused(scaling):
    with pytest.raises(ValueError, match="scaling"):
        FieldSpec.model_validate({**field("u"), "scaling": scaling})


def test_noise_inputs_are_described_and_open(tmp_path):
    noise = [{"name": "xi", "channels": 2}]
    bundle = make_bundle(tmp_path / "noisy.surrogate", [STUB], noise=noise)
    assert Manifest.read(bundle / "manifest.json").noise[0].channels == 2
    with Surrogate.open(bundle) as model:
        assert model.info.stochastic


@pytest.mark.parametrize(
    "noise",
    [
        [{"name": "xi", "channels": 0}],
        [{"name": "", "channels": 1}],
        [{"name": "xi"}],
        [{"name": "xi", "channels": 1}] * 2,
    ],
)
def test_bad_noise_is_refused(tmp_path, noise):
    with pytest.raises(ValueError, match="noise"):
        make_bundle(tmp_path / "bad.surrogate", [STUB], noise=noise)


def test_a_model_without_a_sampler_is_written_as_libraries_before_samplers_read_it(tmp_path):
    bundle = make_bundle(tmp_path / "plain.surrogate", [STUB])
    written = json.loads((bundle / "manifest.json").read_text())
    assert not {"sampler", "text"} & set(written)
    assert not {"steps", "method"} & set(written["programs"][0])


GUIDANCE = {"name": "guidance", "range": [0, 3], "preset": 1}
SAMPLER = {"method": "flow", "kind": "heun", "steps": [1, 4], "preset": 4, "members": 64}
VARIANTS = [{**STUB, "name": f"stub_{steps}", "steps": steps} for steps in (4, 1)]
VOCABULARY = ["<pad>", "<unknown>", "a", "re", "1.5e-3"]


def test_a_sampler_and_captions_are_read(tmp_path):
    text = {"length": 8, "vocabulary": VOCABULARY}
    guided = {"sampler": {**SAMPLER, "guidance": 3.0}, "parameters": [GUIDANCE], "text": text}
    bundle = make_bundle(tmp_path / "flow.surrogate", VARIANTS, **guided)
    manifest = Manifest.read(bundle / "manifest.json")
    assert manifest.sampler.steps == [1, 4]
    assert manifest.sampler.guidance == 3.0
    assert [program.name for program in manifest.programs_of()] == ["stub_4"]
    assert manifest.parameter_columns == 9


@pytest.mark.parametrize(
    ("sampler", "names"),
    [
        ({"preset": 2}, "sampler.preset: 2 given"),
        ({"steps": [4, 1]}, "increasing"),
        ({"steps": []}, "sampler.steps"),
        ({"steps": [1, 2, 4]}, "no program makes 2 steps"),
        ({"steps": [4]}, "steps 1 given, expected one of sampler.steps"),
        ({"members": 0}, "sampler.members"),
        ({"guidance": 0.0}, "sampler.guidance"),
        ({"guidance": 2.0}, "range"),
        ({"guidance": None}, "sampler.guidance is null"),
        ({"nfe": 4}, "nfe"),
    ],
)
def test_a_wrong_sampler_is_refused_by_name(tmp_path, sampler, names):
    given = {"guidance": 3.0, **sampler}
    with pytest.raises(ValueError, match=names):
        make_bundle(tmp_path / "b", VARIANTS, sampler={**SAMPLER, **given}, parameters=[GUIDANCE])


def test_guidance_is_the_last_parameter(tmp_path):
    viscosity = {"name": "nu", "range": [0, 3], "preset": 1}
    sampler = {**SAMPLER, "guidance": 3.0}
    for parameters in ([viscosity], [GUIDANCE, viscosity], [GUIDANCE, GUIDANCE], []):
        with pytest.raises(ValueError, match="guidance"):
            make_bundle(tmp_path / "b", VARIANTS, sampler=sampler, parameters=parameters)


@pytest.mark.parametrize(
    ("programs", "more", "names"),
    [
        (VARIANTS, {}, "the manifest has no sampler"),
        ([VARIANTS[0], STUB], {"sampler": SAMPLER}, "steps None given"),
        ([VARIANTS[0], {**VARIANTS[1], "name": "stub_4"}], {"sampler": SAMPLER}, "twice"),
        ([{**STUB, "method": "steps 4"}], {}, "expected an identifier"),
        ([{**STUB, "format": "python", "entry": "a:b", "method": "c"}], {}, "has an entry"),
    ],
)
def test_programs_that_do_not_fit_the_sampler_are_refused(tmp_path, programs, more, names):
    with pytest.raises(ValueError, match=names):
        make_bundle(tmp_path / "b", programs, **more)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ({"length": 0}, "text.length"),
        ({"vocabulary": ["a", "<pad>"]}, "expected \\['<pad>', '<unknown>'\\]"),
        ({"vocabulary": ["<pad>"]}, "text.vocabulary"),
        ({"vocabulary": [*VOCABULARY, "a"]}, "'a' stands twice"),
        ({"vocabulary": [*VOCABULARY, "Re"]}, "expected a word"),
    ],
)
def test_a_wrong_vocabulary_is_refused(tmp_path, text, names):
    with pytest.raises(ValueError, match=names):
        make_bundle(tmp_path / "b", [STUB], text={"length": 8, "vocabulary": VOCABULARY, **text})
