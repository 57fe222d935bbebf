"""record_calls, and surrogate verify --replay."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from bundles import field, stub_bundle
from typer.testing import CliRunner

from surrogate import Rejected, Surrogate, _native
from surrogate.cli.main import app
from surrogate.errors import ArgumentError
from surrogate.io.frames import FrameFile

PLUGIN = Path(_native.__file__).parent / "lib" / "libsurrogate_recorder.so"
pytestmark = pytest.mark.skipif(
    not PLUGIN.exists(), reason=f"{PLUGIN} is missing: HDF5's development files, then make build"
)
FIELDS = [
    field("rho", mean=1.0, std=0.5, scale=0.25, unit="kg/m3"),
    field("v", components=2, scale=0.5),
    field("mask", prediction=None),
]
PROGRAM = {
    "operation": "affine",
    "scale": [0.5, -0.5, 0.25],
    "offset": [0.1, 0.2, 0.3],
    "channels": [1, 2, 0],
    "shift": [1, -2],
    "parameter": 0,
}
PARAMETERS = [{"name": "mu", "range": [0.0, 1.0], "preset": 0.25}]
BOUNDS = {"finite": True, "bounds": {"rho": {"lower": -10.0, "upper": 10.0}}}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """rho, v (2 components), mask (read only), one parameter; guards on rho."""
    return stub_bundle(
        tmp_path / "flow.surrogate", FIELDS, PROGRAM, parameters=PARAMETERS, guards=BOUNDS
    )


def state(n: int, dtype: str = "f8") -> dict[str, np.ndarray]:
    rng = np.random.default_rng(n)
    return {
        "rho": rng.normal(size=(4, 6)).astype(dtype),
        "v": rng.normal(size=(2, 4, 6)).astype(dtype),
        "mask": rng.normal(size=(4, 6)).astype(dtype),
    }


@pytest.fixture
def recording(bundle: Path, tmp_path: Path) -> Path:
    """Three accepted calls, the second in place, and a rejected one between."""
    path = tmp_path / "calls.h5"
    with Surrogate.open(bundle, record_calls=path) as model:
        model.predict(state(0), step=4, time=0.5, parameters={"mu": 0.75}, seed=9, member=2)
        model.predict(given := state(1), out={name: given[name] for name in ("rho", "v")})
        with pytest.raises(Rejected):
            model.predict({**state(2), "rho": np.full((4, 6), 99.0)})
        model.predict(state(2))
        assert model.statistics.record_errors == 0
        assert model.statistics.ok == 3
    return path


def test_accepted_calls_are_recorded_with_their_inputs_outputs_and_options(
    bundle: Path, recording: Path
) -> None:
    with FrameFile(recording) as frames, Surrogate.open(bundle) as model:
        assert frames.frames == 3
        for index in range(3):
            stored, given = frames.state(index), state(index)
            mu = 0.75 if index == 0 else 0.25
            output = model.predict(given, parameters={"mu": mu})
            for name in given:
                np.testing.assert_array_equal(stored[f"input.{name}"], given[name])
            for name in ("rho", "v"):
                np.testing.assert_array_equal(stored[f"output.{name}"], output[name])
            assert "output.mask" not in stored
        assert list(frames.scalar("call")) == [1, 2, 4]
        assert list(frames.scalar("status")) == [0, 0, 0]
        assert list(frames.scalar("step")) == [4, -1, -1]
        assert list(frames.scalar("seed")) == [9, 0, 0]
        assert list(frames.scalar("member")) == [2, 0, 0]
        assert list(frames.scalar("parameter.mu")) == [0.75, 0.25, 0.25]
        np.testing.assert_array_equal(frames.times(), [0.5, np.nan, np.nan])
        assert frames.unit("input.rho") == "kg/m3"
        assert frames.attribute("program") == "stub"


def replay(bundle: Path, recording: Path, *more: str) -> tuple[int, dict]:
    done = CliRunner().invoke(
        app, ["verify", str(bundle), "--replay", str(recording), "--json", *more]
    )
    return done.exit_code, json.loads(done.stdout) if done.stdout.startswith("{") else {}


def test_a_faithful_recording_passes(bundle: Path, recording: Path) -> None:
    code, result = replay(bundle, recording)
    assert code == 0
    assert result["passed"]
    assert result["calls"] == 3
    assert [entry["name"] for entry in result["fields"]] == ["rho", "v"]
    assert all(entry["relative"] < 1e-6 for entry in result["fields"])


def test_a_tampered_output_is_found_with_its_field_call_and_size(
    bundle: Path, recording: Path
) -> None:
    with h5py.File(recording, "a") as file:
        file["t1_fields/output.v"][0, 2, 1, 3, 1] += 0.5
    code, result = replay(bundle, recording)
    assert code == 1
    assert not result["passed"]
    rho, v = result["fields"]
    assert rho["absolute"] < 1e-6
    assert v["absolute"] == pytest.approx(0.5, rel=1e-6)
    assert (v["call"], v["scaled"]) == (4, pytest.approx(1.0, rel=1e-6))
    assert replay(bundle, recording, "--tolerance", "1.5")[0] == 0


def test_a_tampered_bundle_is_found(bundle: Path, recording: Path, tmp_path: Path) -> None:
    other = {**PROGRAM, "offset": [0.1, 0.2, 0.3001]}
    changed = stub_bundle(
        tmp_path / "changed.surrogate", FIELDS, other, parameters=PARAMETERS, guards=BOUNDS
    )
    code, result = replay(changed, recording, "--tolerance", "1e-5")
    assert code == 1
    assert [entry["scaled"] > 1e-5 for entry in result["fields"]] == [False, True]
    program = bundle / "programs" / "stub.json"
    program.write_text(program.read_text().replace("0.3", "0.4"))
    assert replay(bundle, recording)[0] == 1  # the hash says so


def test_what_is_no_recording_of_this_model_is_an_error(bundle: Path, tmp_path: Path) -> None:
    assert replay(bundle, tmp_path / "missing.h5")[0] == 2
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["time"] = np.zeros(2)
        file["u"] = np.zeros((2, 3, 3))
    assert replay(bundle, tmp_path / "other.h5")[0] == 2


def test_a_path_that_is_taken_is_an_error_at_open(bundle: Path, recording: Path) -> None:
    with pytest.raises(ArgumentError, match="exists already"):
        Surrogate.open(bundle, record_calls=recording)


def test_a_full_disk_breaks_no_prediction_and_is_counted(bundle: Path, tmp_path: Path) -> None:
    script = f"""
import logging, resource, signal, numpy as np
from surrogate import Surrogate
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
logging.basicConfig(format="%(message)s")
state = {{"rho": np.zeros((4, 6)), "v": np.zeros((2, 4, 6)), "mask": np.zeros((4, 6))}}
limit = lambda n: resource.setrlimit(resource.RLIMIT_FSIZE, (n, resource.RLIM_INFINITY))
with Surrogate.open({os.fspath(bundle)!r}, record_calls="calls.h5") as model:
    first = model.predict(state)
    limit(1000)
    for _ in range(3):
        assert (model.predict(state)["rho"] == first["rho"]).all()
    assert model.statistics.record_errors == 3 and model.statistics.ok == 4
    limit(resource.RLIM_INFINITY)
    model.predict(state)
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("record_calls:") == 1
    assert "File too large" in done.stderr
    with FrameFile(tmp_path / "calls.h5") as frames:
        assert list(frames.scalar("call")) == [1, 5]
