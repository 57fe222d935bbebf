"""`surrogate lower` of a generative model: a program for each number of steps, chosen by the steps of a call."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from engines.torchscript import engine_folder
from sampled import (
    FILE,
    STEPS,
    euler_net,
    sampler_manifest,
    torchscript_bytes,
    torchscript_programs,
)
from typer.testing import CliRunner

from surrogate import Surrogate
from surrogate.bundle.folder import write_bundle
from surrogate.cli.main import app
from surrogate.errors import ArgumentError
from surrogate.lower.lowering import lower, lower_all
from surrogate.lower.overlay import bundle_hash, read_entries
from surrogate.reference import reference

torch = pytest.importorskip("torch", reason="torch is missing")
OPTIONS = {"engine": "torchscript", "threads": [1], "shape": [8, 8]}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sampler with a portable program for each number of steps."""
    folder, net = tmp_path_factory.mktemp("lower"), euler_net()
    inputs = (torch.zeros(2, 2, 8, 8), torch.ones(2, 4), torch.zeros(2, 2, 8, 8))
    free = {0: torch.export.Dim("batch")}
    files, programs = {FILE: torchscript_bytes()}, torchscript_programs()
    for steps in STEPS:
        file = folder / f"portable_{steps}.pt2"
        exported = torch.export.export(Variant(net, steps), inputs, dynamic_shapes=(free,) * 3)
        torch.export.save(exported, file)
        files[f"programs/{file.name}"] = file.read_bytes()
        entry = {"engine": "torch", "format": "torch.export", "file": f"programs/{file.name}"}
        programs.append({"name": f"portable_{steps}", "steps": steps, **entry})
    write_bundle(folder / "sampled.surrogate", files, **sampler_manifest(programs))
    return folder / "sampled.surrogate"


class Variant(torch.nn.Module):
    """The net that makes so many steps."""

    def __init__(self, net, steps: int) -> None:
        super().__init__()
        self.net, self.steps = net, steps

    def forward(self, state, row, noise):
        return self.net.sample(state, row, noise, self.steps)


@pytest.fixture(scope="module")
def overlay(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("overlay")
    options = ["--engine", "torchscript", "--threads", "1", "--shape", "8x8", "--json"]
    result = CliRunner().invoke(app, ["lower", str(bundle), "--out", str(folder), *options])
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["programs"]) == len(STEPS)
    return folder


def test_every_number_of_steps_is_lowered_gated_and_timed(bundle, overlay):
    entries = {
        entry["program"]["steps"]: entry for entry in read_entries(overlay, bundle_hash(bundle))
    }
    assert sorted(entries) == STEPS
    for steps, entry in entries.items():
        assert entry["program"]["name"] == f"torchscript-cpu-fp32-{steps}"
        assert max(entry["gate"]["error"].values()) < 1e-4
        assert entry["timings"][0]["milliseconds"] > 0
    [timings] = overlay.glob("*/timings-*.json")
    names = {f"torchscript_{steps}" for steps in STEPS}
    assert set(json.loads(timings.read_text())["timings"]) == names


@pytest.mark.parametrize("steps", [None, *STEPS])
def test_a_lowered_program_runs_for_its_steps_alone(bundle, overlay, steps):
    state = np.random.default_rng(0).normal(size=(2, 8, 8))
    asked = {"steps": steps, "guidance": 2.0, "caption": "red", "step": 3}
    fitting = overlay_of(overlay, bundle)
    with Surrogate.open(bundle, engine_path=engine_folder(), overlay=fitting) as model:
        assert model.info.program == "torchscript-cpu-fp32-2", model.info.choice
        frame = model.predict(state, **asked)
    np.testing.assert_allclose(frame, reference(bundle, state, **asked), atol=1e-6)


def overlay_of(overlay: Path, bundle: Path) -> Path:
    """The overlay with the lowered programs as the fastest of their steps, whatever was measured."""
    for path in overlay.glob("*/*/program.json"):
        entry = json.loads(path.read_text())
        entry["timings"] = [
            {**row, "milliseconds": 1e-6 * entry["program"]["steps"]} for row in entry["timings"]
        ]
        path.write_text(json.dumps(entry))
    return overlay


def test_one_number_of_steps_is_lowered_alone_and_keeps_other_timings(bundle, tmp_path):
    for steps in (4, 1):
        [made] = lower_all(bundle, steps=steps, out=tmp_path, **OPTIONS)
        assert made.name == f"torchscript-cpu-fp32-{steps}"
        assert set(made.bundle_timings) == {f"torchscript_{steps}"}
    [timings] = tmp_path.glob("*/timings-*.json")
    assert set(json.loads(timings.read_text())["timings"]) == {"torchscript_1", "torchscript_4"}
    assert lower(bundle, out=tmp_path, **OPTIONS).name == "torchscript-cpu-fp32-2"


def test_steps_that_the_bundle_has_not_are_named(bundle, tmp_path):
    with pytest.raises(ArgumentError, match=r"steps 3; expected one of \[1, 2, 4\]"):
        lower(bundle, steps=3, out=tmp_path, **OPTIONS)
