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
from compiling import compile_program, run
from typer.testing import CliRunner

from surrogate import Rejected, Surrogate, _native
from surrogate.bundle.manifest import Manifest
from surrogate.bundle.tensors import read_tensors
from surrogate.cli.main import app
from surrogate.errors import ArgumentError, UnsupportedError
from surrogate.io.frames import FrameFile
from surrogate.paths import find_bundle
from surrogate.replay import replay_calls
from surrogate.verification import physical_state

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
    assert "recorded with another bundle" in result["problem"]
    assert replay(changed, recording, "--tolerance", "1")[0] == 1  # another bundle, however near
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


NOISE = [{"name": "xi", "channels": 1}]


def stochastic_bundle(folder: Path) -> Path:
    """u follows itself one frame ago, a parameter and noise; w is only read; bounds are opened wide."""
    fields = [field("u", scale=0.25, conserved=True), field("w", prediction=None)]
    program = {
        "operation": "affine",
        "scale": [0.5],
        "offset": [0.125],
        "channels": [2],
        "parameter": 0,
        "noise": 0.5,
    }
    parameters = [{"name": "nu", "range": [0.0, 1.0], "preset": 0.25}]
    bounds = {"bounds": {"u": {"lower": -9.0, "upper": 9.0}}}
    return stub_bundle(
        folder, fields, program, parameters=parameters, noise=NOISE, history=2, guards=bounds
    )


def test_every_kind_of_call_from_c_is_recorded_and_replays(tmp_path: Path) -> None:
    bundle = stochastic_bundle(tmp_path / "noisy.surrogate")
    program = compile_program(Path(__file__).parent / "calls.c", tmp_path / "calls")
    done = run([program, bundle, tmp_path / "calls.h5"])
    assert done.stdout == "10 calls, 0 record errors\n"
    with FrameFile(tmp_path / "calls.h5") as frames:
        assert list(frames.scalar("step")) == [5, 5, 5, 5, 6, 7, 5, 6, 7]
        assert list(frames.scalar("parameter.nu")) == [0.25, 0.75, 0.75, *[0.25] * 6]
        assert list(frames.scalar("totals")) == [0] * 9
        np.testing.assert_array_equal(frames.times(), 1.5 + 0.5 * (frames.scalar("step") - 5))
        for first in (3, 6):  # a rollout reads what it wrote
            for call in (first, first + 1):
                now, later = frames.state(call), frames.state(call + 1)
                np.testing.assert_array_equal(later["input.u"], now["output.u"])
                np.testing.assert_array_equal(later["history1.u"], now["input.u"])
        assert max(frames.state(index)["output.u"].max() for index in range(9)) == 0.75  # clipped
    result = replay_calls(bundle, tmp_path / "calls.h5", tolerance=1e-6)
    assert (result.passed, result.calls) == (True, 9)
    assert result.fields[0].scaled < 1e-6


def test_what_is_replayed_depends_on_all_that_was_recorded(tmp_path: Path) -> None:
    bundle = stochastic_bundle(tmp_path / "noisy.surrogate")
    path = tmp_path / "calls.h5"
    u, older = np.random.default_rng(0).normal(size=(2, 3, 2, 4, 6))
    with Surrogate.open(bundle, record_calls=path) as model:
        model.predict(u, history=[older], step=3, seed=1, member=2, parameters=[0.75])
    assert replay_calls(bundle, path, tolerance=1e-6).passed  # a batch of three states
    for change in ("scalars/step", "scalars/seed", "scalars/member", "scalars/origin0"):
        with h5py.File(path, "a") as file:
            file[change][0] += 1
        assert not replay_calls(bundle, path, tolerance=1e-3).passed
        with h5py.File(path, "a") as file:
            file[change][0] -= 1
    with h5py.File(path, "a") as file:
        file["t0_fields/history1.u"][:] += 0.5
    assert not replay_calls(bundle, path, tolerance=1e-3).passed


def test_ensembles_are_not_recorded(tmp_path: Path) -> None:
    bundle = stochastic_bundle(tmp_path / "noisy.surrogate")
    u = np.zeros((2, 4, 6))
    with Surrogate.open(bundle, record_calls=tmp_path / "calls.h5") as model:
        model.predict(u, history=[u], step=0, members=2)
        model.predict_members(u, 2, history=[u], step=0)
        assert model.statistics.record_errors == 0
    assert not (tmp_path / "calls.h5").exists()


def test_a_projection_by_other_ranks_sums_cannot_be_replayed(tmp_path: Path) -> None:
    bundle = stochastic_bundle(tmp_path / "noisy.surrogate")
    path, u = tmp_path / "calls.h5", np.ones((2, 4, 6))
    project = {"policy": {"conserved": "project"}}
    with Surrogate.open(bundle, record_calls=path, guards=project) as model:
        model.predict(u, history=[u], step=0)
    assert replay_calls(bundle, path, tolerance=1e-6).passed
    path = tmp_path / "rank0.h5"
    with Surrogate.open(bundle, record_calls=path, guards=project) as model:
        model.predict_begin(u, history=[u], step=0).wait()
        pending = model.predict_begin(u, history=[u], step=1)
        pending.finish(2 * pending.partials())  # another rank holds the same
    with pytest.raises(UnsupportedError, match="call 2 was finished with the sums of other ranks"):
        replay_calls(bundle, path)


def test_the_shipped_bundle_replays_with_its_projection(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch (extra: torch)")
    folder = find_bundle("mhd2d_128")
    manifest = Manifest.read(folder / "manifest.json")
    u = physical_state(manifest, read_tensors(folder / "example.safetensors")["input"])[0]
    path = tmp_path / "calls.h5"
    with Surrogate.open(folder, threads=1, record_calls=path) as model:
        frame = model.predict(u)
        assert model.statistics.projections == 1
    assert abs(frame[0].sum() / u[0].sum() - 1) < 1e-14
    result = replay_calls(folder, path)
    assert result.passed
    with h5py.File(path, "a") as file:  # what the projection took
        file["t0_fields/output.rho"][:] += (
            2 * result.tolerance * manifest.fields[0].prediction.scale[0]
        )
    assert not replay_calls(folder, path).passed
