"""The command line: what it prints, its JSON, its exit codes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from flow_bundle import flow_state, named, sealed_with_example
from typer.testing import CliRunner

from surrogate.cli import app
from surrogate.cli.main import COMMANDS


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def run_json(*arguments, code=0):
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_info_shows_fields_grid_time_step_programs_and_the_choice(flow):
    result = run("info", flow)
    assert result.exit_code == 0
    for text in (
        "rho",
        "kg m-3",
        "condition",
        "0.5 s",
        "multiples of 1 × 1",
        "periodic",
        "stub",
        "→",
    ):
        assert text in result.stdout
    facts = run_json("info", flow)
    assert facts["choice"]["program"] == "stub"
    assert facts["manifest"]["fields"][1]["components"] == 2
    assert facts["bytes"] > 0


def test_info_of_a_bundle_that_cannot_run_still_shows_it(flow, tmp_path):
    copy = shutil.copytree(flow, tmp_path / "copy.surrogate")
    manifest = (
        (copy / "manifest.json").read_text().replace('"engine": "stub"', '"engine": "python"')
    )
    (copy / "manifest.json").write_text(manifest)
    facts = run_json("info", copy)
    assert facts["choice"]["program"] is None
    assert "python" in facts["choice"]["error"]
    assert "none:" in run("info", copy).stdout


def test_info_paths_prints_three_plain_lines_that_exist():
    result = run("info", "--paths")
    lines = result.stdout.splitlines()
    assert len(lines) == 3
    include, library, cmake = map(Path, lines)
    assert (include / "surrogate" / "surrogate.h").is_file()
    assert library.is_file()
    assert (cmake / "surrogate-config.cmake").is_file()
    assert run_json("info", "--paths")["library"] == str(library)


def test_info_without_a_bundle_lists_those_that_come_with_it():
    assert run("info").exit_code == 0
    assert isinstance(run_json("info")["bundles"], dict)


def test_verify_passes_fails_and_breaks(tmp_path, flow):
    good = sealed_with_example(tmp_path / "good.surrogate")
    bad = sealed_with_example(tmp_path / "bad.surrogate", wrong=0.5)
    assert run("verify", good).exit_code == 0
    assert run_json("verify", good)["passed"] is True
    assert "FAILED" in run("verify", bad).stdout
    assert run_json("verify", bad, code=1)["passed"] is False
    assert run("verify", good, "--engine", "nosuch").exit_code == 2
    assert run("verify", tmp_path / "nowhere").exit_code == 2


def test_predict_from_file_to_file(flow, tmp_path):
    from surrogate import Surrogate

    state = flow_state()
    with Surrogate.open(flow) as model:
        expected = model.predict(state)
    np.save(tmp_path / "u.npy", state)
    result = run("predict", flow, tmp_path / "u.npy", tmp_path / "next.npy")
    assert result.exit_code == 0, result.output
    np.testing.assert_array_equal(np.load(tmp_path / "next.npy"), expected)
    np.savez(tmp_path / "u.npz", **named(state))
    facts = run_json("predict", flow, tmp_path / "u.npz", tmp_path / "next.h5")
    assert facts["time_step"] == 0.5
    assert (tmp_path / "next.h5").is_file()


def test_predict_refuses_with_one_and_breaks_with_two(flow, tmp_path):
    state = flow_state()
    state[0, 0, 0] = np.nan
    np.save(tmp_path / "u.npy", state)
    target = tmp_path / "next.npy"
    result = run("predict", flow, tmp_path / "u.npy", target)
    assert result.exit_code == 1
    assert result.stderr.startswith("rejected: ")
    assert not target.exists()
    assert run("predict", flow, tmp_path / "u.npy", tmp_path / "next.h5").exit_code == 2
    assert run("predict", flow, tmp_path / "none.npy", target).exit_code == 2
    wrong = run("predict", flow, tmp_path / "u.npy", target, "-p", "mu")
    assert wrong.exit_code == 2
    assert "NAME=VALUE" in wrong.output


def test_rollout_writes_the_frames_before_a_rejection(make, tmp_path):
    from bundles import field
    from flow_bundle import affine

    guards = {"bounds": {"u": {"upper": 10.0}}}
    bundle = make("growing", [field("u")], affine([1.0]), guards=guards)
    np.save(tmp_path / "u.npy", np.ones((4, 4)))
    target = tmp_path / "frames.npy"
    assert run("rollout", bundle, tmp_path / "u.npy", target, "--steps", 2).exit_code == 0
    assert np.load(target).shape == (2, 4, 4)
    refused = run("rollout", bundle, tmp_path / "u.npy", target, "--steps", 9)
    assert refused.exit_code == 1
    assert "OUTPUT_OUT_OF_BOUNDS" in refused.stderr
    assert np.load(target).shape == (3, 4, 4)


@pytest.mark.parametrize(
    "arguments",
    [
        ("nosuch",),
        ("info", "--nosuch"),
        ("verify",),
        ("predict", "a"),
        ("rollout", "a", "b", "c", "--steps", "x"),
    ],
)
def test_wrong_use_exits_with_two(arguments):
    assert run(*arguments).exit_code == 2


def test_an_unknown_bundle_is_one_line_and_no_traceback():
    for command in (["info"], ["verify"], ["predict"]):
        files = ["a.npy", "b.npy"] if command == ["predict"] else []
        result = run(*command, "mhd2d-129", *files)
        assert result.exit_code == 2
        assert len(result.stderr.strip().splitlines()) == 1
        assert "Traceback" not in result.output
    assert "mhd2d-129: no such bundle" in run("info", "mhd2d-129").stderr


def test_a_damaged_manifest_is_no_traceback(flow, tmp_path):
    copy = shutil.copytree(flow, tmp_path / "copy.surrogate")
    (copy / "manifest.json").write_text("{")
    result = run("info", copy)
    assert result.exit_code == 2
    assert "not valid JSON" in result.stderr


def test_doctor_names_what_is_there_and_how_to_get_the_rest():
    facts = run_json("doctor")
    assert list(facts) == [
        "surrogate",
        "machine",
        "compilers",
        "mpi",
        "torch",
        "engines",
        "openmp",
        "hdf5",
        "packages",
    ]
    assert facts["engines"]["stub"]["found"] is True
    for section in facts.values():
        for name, finding in section.items():
            assert finding["text"] or finding["remedy"], name
    assert run("doctor").stdout.startswith("surrogate\n")


def test_help_lists_every_command_and_an_entry_point_adds_one(monkeypatch):
    import importlib.metadata

    real = importlib.metadata.entry_points

    def entry_points(*, group):
        own = importlib.metadata.EntryPoint("greet", "json:dumps", group)
        broken = importlib.metadata.EntryPoint("broken", "no_such_package.cli:go", group)
        return (*real(group=group), own, broken)

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    text = run("--help").stdout
    for name in ("doctor", "info", "predict", "rollout", "verify", "broken"):
        assert f" {name} " in text
    result = run("broken")
    assert result.exit_code == 2
    assert "no_such_package" in result.stderr
    assert set(COMMANDS) >= {"demo", "engine"}


def test_the_installed_command_answers_without_torch():
    command = Path(sys.executable).with_name("surrogate")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    import surrogate

    assert done.stdout.strip() == surrogate.__version__
