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
    manifest = (copy / "manifest.json").read_text().replace('"engine": "stub"', '"engine": "jax"')
    (copy / "manifest.json").write_text(manifest)
    facts = run_json("info", copy)
    assert facts["choice"]["program"] is None
    assert "jax" in facts["choice"]["error"]
    assert "none:" in run("info", copy).stdout


def test_info_paths_begins_with_three_plain_lines_that_exist():
    result = run("info", "--paths")
    lines = result.stdout.splitlines()
    include, library, cmake = map(Path, lines[:3])
    assert (include / "surrogate" / "surrogate.h").is_file()
    assert library.is_file()
    assert (cmake / "surrogate-config.cmake").is_file()
    assert run_json("info", "--paths")["library"] == str(library)


def test_info_paths_goes_on_with_what_pkg_config_and_fortran_need():
    pkgconfig, fortran = map(Path, run("info", "--paths").stdout.splitlines()[3:5])
    assert (pkgconfig / "surrogate.pc").is_file()
    assert fortran.name == "surrogate.f90"
    assert "module surrogate" in fortran.read_text()
    facts = run_json("info", "--paths")
    assert [facts["pkgconfig"], facts["fortran"]] == [str(pkgconfig), str(fortran)]


def test_info_paths_ends_with_what_solvers_on_many_ranks_need():
    lines = run("info", "--paths").stdout.splitlines()[5:]
    facts = run_json("info", "--paths")
    if facts["mpi_library"] is None:
        assert lines == ["(built without MPI)"] * 2
    else:
        assert [facts["mpi_library"], facts["fortran_mpi"]] == lines
        assert "module surrogate_mpi" in Path(lines[1]).read_text()
        assert Path(lines[0]).is_file()


def test_info_path_prints_a_shipped_bundles_folder_for_c(flow):
    folder = Path(run("info", "mhd2d_128", "--path").stdout.strip())
    assert (folder / "manifest.json").is_file()
    assert run("info", flow, "--path").stdout.strip() == str(flow)
    assert run_json("info", flow, "--path") == {"path": str(flow)}
    assert run("info", "mhd2d_129", "--path").exit_code == 2
    alone = run("info", "--path")
    assert alone.exit_code == 2
    assert "bundle" in alone.stderr


def test_info_of_a_truncated_bundle_shows_what_is_there_and_that_it_is_damaged(flow, tmp_path):
    copy = shutil.copytree(flow, tmp_path / "copy.surrogate")
    whole = run_json("info", copy)["bytes"]
    program = copy / "programs" / "stub.json"
    size = program.stat().st_size
    program.write_bytes(program.read_bytes()[:-7])
    assert run_json("info", copy)["bytes"] == whole - 7
    assert "damaged" in run("info", copy).stdout
    program.unlink()
    assert run_json("info", copy)["bytes"] == whole - size
    assert "copy the bundle again" in run("info", copy).stdout
    assert "damaged" not in run("info", flow).stdout


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
    assert result.stderr.startswith("rejected: input field 'rho'")
    assert result.stderr.count("rejected") == 1
    assert len(result.output.strip().splitlines()) == 1
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


def test_a_rollout_refused_at_once_leaves_the_target_alone(flow, tmp_path):
    state = flow_state()
    state[0, 0, 0] = np.nan
    np.save(tmp_path / "u.npy", state)
    target = tmp_path / "frames.npy"
    target.write_bytes(b"kept")
    refused = run("rollout", flow, tmp_path / "u.npy", target, "--steps", 3)
    assert refused.exit_code == 1
    assert target.read_bytes() == b"kept"
    assert len(refused.output.strip().splitlines()) == 1
    facts = run_json("rollout", flow, tmp_path / "u.npy", target, code=1)
    assert (facts["output"], facts["frames"]) == (None, 0)
    assert target.read_bytes() == b"kept"


@pytest.mark.parametrize("command", ["predict", "rollout"])
def test_a_target_in_a_missing_folder_is_one_line_before_any_work(flow, tmp_path, command):
    np.save(tmp_path / "u.npy", flow_state())
    target = tmp_path / "missing" / "next.npy"
    for bundle in (flow, "opened_too_late"):
        result = run(command, bundle, tmp_path / "u.npy", target)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"error: {target}: no folder ")
        assert len(result.output.strip().splitlines()) == 1


def test_a_disk_that_takes_no_more_is_one_line(flow, tmp_path):
    np.save(tmp_path / "u.npy", flow_state())
    (tmp_path / "full.npy").symlink_to("/dev/full")
    result = run("predict", flow, tmp_path / "u.npy", tmp_path / "full.npy")
    assert result.exit_code == 2
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "No space left" in result.stderr


def test_a_failure_is_a_json_document_too(flow, tmp_path):
    state = flow_state()
    np.save(tmp_path / "good.npy", state)
    state[0, 0, 0] = np.nan
    np.save(tmp_path / "bad.npy", state)
    target = tmp_path / "next.npy"
    for command in ("predict", "rollout"):
        facts = run_json(command, flow, tmp_path / "good.npy", target)
        assert facts["status"] == "SURROGATE_OK"
        facts = run_json(command, flow, tmp_path / "bad.npy", target, code=1)
        assert facts["status"] == "SURROGATE_REJECTED"
        assert facts["reason"] == "INPUT_NOT_FINITE"
        assert "rho" in facts["text"]
        facts = run_json(command, flow, tmp_path / "none.npy", target, code=2)
        assert facts["status"] == "SURROGATE_ERROR_NOT_FOUND"
        assert facts["reason"] is None
        assert "none.npy" in facts["text"]
    facts = run_json("verify", "nowhere", code=2)
    assert facts["status"] == "SURROGATE_ERROR_NOT_FOUND"
    assert "nowhere" in facts["text"]
    bad = sealed_with_example(tmp_path / "bad.surrogate", wrong=0.5)
    facts = run_json("verify", bad, code=1)
    assert facts["status"] == "FAILED"
    assert facts["reason"] == next(c["name"] for c in facts["checks"] if c["passed"] is False)
    assert facts["text"]


def test_a_unit_of_one_is_not_printed(make, tmp_path):
    from bundles import field
    from flow_bundle import affine

    for unit, text in (("1", "the state 0.5 later,"), ("s", "the state 0.5 s later,")):
        bundle = make(f"unit_{unit}", [field("u")], affine([1.0]), time={"step": 0.5, "unit": unit})
        np.save(tmp_path / "u.npy", np.ones((4, 4)))
        result = run("predict", bundle, tmp_path / "u.npy", tmp_path / "next.npy")
        assert text in result.stdout


def test_an_empty_bundle_name_is_not_the_current_folder():
    result = run("info", "")
    assert result.exit_code == 2
    assert "empty" in result.stderr


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


def scaling_checkout(folder):
    """A folder that looks like a checkout with a recorded result of the scaling benchmark."""
    (folder / "benchmarks" / "scaling").mkdir(parents=True)
    (folder / "benchmarks" / "scaling" / "run.py").touch()
    row = {
        "seconds_per_jump": 0.125, "spread": [0.12, 0.13], "bytes_per_rank": 2048, "minimum_bytes": 2000,
        "float64_difference": 1e-16, "float32_difference": 2e-7, "oversubscribed": True,
    }  # fmt: skip
    result = {
        "modes": {"tiles": {"4": row}}, "tiles_over_serial_us": 1.5, "strong": {"domain": [512, 256]},
        "overlap": {"answer": "It does not pay."}, "environment": {"date": "2026-01-01"},
    }  # fmt: skip
    (folder / "benchmarks" / "results").mkdir()
    (folder / "benchmarks" / "results" / "scaling_here.json").write_text(json.dumps(result))
    return result


def test_bench_scaling_shows_the_recorded_result(tmp_path, monkeypatch):
    expected = scaling_checkout(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run_json("bench", "scaling", "--recorded") == expected
    shown = run("bench", "scaling", "--recorded").output
    for text in ("512 x 256", "tiles", "4*", "125.0", "2048", "1.0e-16", "1.5 µs", "does not pay"):
        assert text in shown


def test_bench_generative_shows_the_recorded_rows_and_what_met_the_targets(tmp_path, monkeypatch):
    (tmp_path / "benchmarks" / "generative").mkdir(parents=True)
    (tmp_path / "benchmarks" / "generative" / "run.py").touch()
    row = {
        "problem": "navier_stokes", "method": "flow", "nfe": 4, "parameters": 9, "rmse": 1.25, "mae": 0.75,
        "spectrum_error": 0.25, "crps": 0.5, "spread_skill": None, "ms_per_member": 3.5, "seeds": [0],
    }  # fmt: skip
    best = {"method": "flow", "nfe": 4}
    expected = {
        "rows": [row], "problems": {"navier_stokes": {"unit": "1 / time", "targets": {"best": best}}},
        "targets": {"rmse": 1.05}, "environment": {"date": "2026-01-01"},
    }  # fmt: skip
    (tmp_path / "benchmarks" / "results").mkdir()
    (tmp_path / "benchmarks" / "results" / "generative_here.json").write_text(json.dumps(expected))
    monkeypatch.chdir(tmp_path)
    assert run_json("bench", "generative", "--recorded") == expected
    shown = run("bench", "generative", "--recorded").output
    for text in ("navier_stokes, in 1 / time", "1.25", "3.5", "met by flow at 4", "rmse <= 1.05"):
        assert text in shown


def test_bench_outside_a_checkout_says_where_to_run_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("bench", "scaling", "--recorded").exit_code == 2
