"""The Fortran module: generated from its source, warning-free, no temporaries, safe handles, every outcome."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from compiling import (
    MODULE,
    STRICT,
    compile_program,
    need_compiler,
    need_library,
    run,
    sanitizer_works,
)

HERE = Path(__file__).parent
CHECKED = ["-g", "-fcheck=all", "-ffpe-trap=invalid,zero,overflow"]


def affine(channels: int, *shift: int) -> dict[str, object]:
    """A stub program that mixes channels and cells, so that no permutation of axes goes unseen."""
    return {
        "operation": "affine",
        "scale": [0.5 + k for k in range(channels)],
        "offset": [0.25] * channels,
        "channels": [(k + 1) % channels for k in range(channels)],
        "shift": list(shift),
    }


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Stub bundles in one, two and three dimensions."""
    need_library()
    pytest.importorskip(
        "surrogate", reason="surrogate is not installed: pip install .", exc_type=ImportError
    )
    from bundles import field, stub_bundle

    folder = tmp_path_factory.mktemp("bundles")

    def grid(*axes: str, multiple_of: list[int] | None = None) -> dict[str, object]:
        ones = [1] * len(axes)
        return {
            "axes": list(axes),
            "multiple_of": multiple_of or ones,
            "minimum_shape": ones,
            "boundary": ["periodic"] * len(axes),
        }

    def locality(rank: int) -> dict[str, object]:
        return {"receptive_field": [0] * rank, "stride": [1] * rank}

    c, q = field("c", mean=0.25, std=0.5, scale=0.125), field("q", scale=0.25)
    bounds = {"finite": True, "bounds": {"c": {"lower": 0.0, "upper": 1.0}}}
    outcomes = stub_bundle(
        folder / "outcomes.surrogate",
        [c, q],
        affine(2, 0, 1),
        guards=bounds,
        grid=grid("y", "x", multiple_of=[1, 2]),
    )
    plane = stub_bundle(folder / "plane.surrogate", [c, q], affine(2, 1, -2))
    line = stub_bundle(
        folder / "line.surrogate", [c, q], affine(2, 3), grid=grid("x"), locality=locality(1)
    )
    one = {"operation": "affine", "scale": [0.5], "offset": [0.25], "channels": [1]}
    fields = [field("u", scale=0.5), field("forcing", prediction=None)]
    condition = stub_bundle(folder / "condition.surrogate", fields, one)
    fields = [field("a", scale=0.5), field("v", components=3, mean=0.5, scale=0.25)]
    volume = stub_bundle(
        folder / "volume.surrogate",
        fields,
        affine(4, 1, 0, -2),
        grid=grid("z", "y", "x"),
        locality=locality(3),
    )
    drawn = {"operation": "affine", "scale": [0.5], "offset": [0.0], "channels": [0], "noise": 0.5}
    noise = [{"name": "xi", "channels": 1}]
    noisy = stub_bundle(folder / "noisy.surrogate", [field("u")], drawn, noise=noise)
    older = {"operation": "affine", "scale": [1.0], "offset": [0.0], "channels": [1]}
    history = stub_bundle(folder / "history.surrogate", [field("u")], older, history=2)
    return {
        "noisy": noisy,
        "history": history,
        "outcomes": outcomes,
        "plane": plane,
        "line": line,
        "volume": volume,
        "condition": condition,
    }


def test_the_committed_module_is_what_its_source_generates(tmp_path):
    pytest.importorskip("fypp", reason="fypp is not installed: pip install fypp")
    command = [
        sys.executable,
        "-m",
        "fypp",
        MODULE.with_suffix(".fypp"),
        tmp_path / "surrogate.f90",
    ]
    run(command)
    fresh = (tmp_path / "surrogate.f90").read_text()
    assert fresh == MODULE.read_text(), (
        "run: fypp bindings/fortran/surrogate.fypp bindings/fortran/surrogate.f90"
    )


def test_the_module_compiles_without_warnings(tmp_path):
    options = [*STRICT["gfortran"], "-Wconversion", "-Wimplicit-interface", "-O2"]
    run(
        [
            need_compiler("gfortran"),
            *options,
            "-c",
            MODULE,
            "-J",
            tmp_path,
            "-o",
            tmp_path / "surrogate.o",
        ]
    )


def test_every_outcome_has_its_stat_and_errmsg(bundles, tmp_path):
    program = compile_program(HERE / "outcomes.f90", tmp_path / "outcomes", *CHECKED)
    done = run(
        [
            program,
            bundles["outcomes"],
            tmp_path / "missing.surrogate",
            bundles["condition"],
            bundles["volume"],
        ]
    )
    assert done.stdout.strip() == "all held"
    assert done.stderr == ""


def test_calls_with_slices_compile_to_no_temporaries(tmp_path):
    compiler = need_compiler("gfortran")
    options = ["-std=f2018", "-Warray-temporaries", "-J", str(tmp_path), "-c"]
    source = HERE / "slices.f90"
    done = run([compiler, *options, MODULE, "-o", tmp_path / "module.o"])
    done = run([compiler, *options, source, "-o", tmp_path / "slices.o"])
    lines = source.read_text().splitlines()
    flagged = [
        lines[int(number) - 1].strip() for number in re.findall(r"slices\.f90:(\d+):", done.stderr)
    ]
    calls = [line for line in flagged if "%predict(" in line or "%add(" in line]
    assert not calls, "array temporaries in: " + "; ".join(calls)


def test_slices_have_the_bits_of_dense_arrays(bundles, tmp_path):
    program = compile_program(HERE / "slices.f90", tmp_path / "slices", *CHECKED)
    done = run([program, bundles["plane"], bundles["line"], bundles["volume"]])
    assert done.stdout.strip() == "all held"
    assert done.stderr == "", "the run-time check found array temporaries"


@pytest.mark.parametrize(
    "options", [["-O3"], ["-O2", "-fdefault-integer-8", "-fdefault-real-8", "-fopenmp"]]
)
def test_slices_have_the_same_bits_under_other_compiler_options(bundles, tmp_path, options):
    program = compile_program(HERE / "slices.f90", tmp_path / "slices", *options)
    assert (
        run([program, bundles["plane"], bundles["line"], bundles["volume"]]).stdout.strip()
        == "all held"
    )


def test_a_warm_call_allocates_nothing(bundles, tmp_path):
    counter = tmp_path / "libcounter.so"
    run([need_compiler("gcc"), "-shared", "-fPIC", HERE / "allocation_counter.c", "-o", counter])
    options = ["-O2", "-Wl,--no-as-needed", str(counter), f"-Wl,-rpath,{tmp_path}"]
    program = compile_program(HERE / "allocations.f90", tmp_path / "allocations", *options)
    assert run([program, bundles["plane"]]).stdout.split() == [
        "dense",
        "0",
        "slices",
        "0",
        "state",
        "0",
    ]


def test_ensembles_rollouts_histories_and_predictions_beside_the_solver(bundles, tmp_path):
    program = compile_program(HERE / "series.f90", tmp_path / "series", *CHECKED)
    done = run([program, bundles["noisy"], bundles["history"], bundles["outcomes"]])
    assert done.stdout.strip() == "all held"
    assert done.stderr == "", "the run-time check found array temporaries"


def test_copied_models_are_freed_once(bundles, tmp_path):
    if not sanitizer_works():
        pytest.skip("AddressSanitizer is missing: apt-get install libasan8")
    program = compile_program(
        HERE / "handles.f90", tmp_path / "handles", "-g", "-fcheck=all", "-fsanitize=address"
    )
    done = run([program, bundles["plane"]], environment={"ASAN_OPTIONS": "detect_leaks=1"})
    assert done.stdout.strip() == "all held"


@pytest.fixture(scope="module")
def stops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_program(HERE / "stops.f90", tmp_path_factory.mktemp("stops") / "stops")


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("open", "/no/such/bundle"),
        ("open_errmsg", "/no/such/bundle"),
        ("closed", "not open"),
        ("rejected", "c"),
        ("shape", "7"),
    ],
)
def test_without_stat_whatever_is_not_ok_stops(bundles, stops, case, text):
    done = run([stops, case, bundles["outcomes"]], code=1)
    assert "ERROR STOP" in done.stderr
    assert text in done.stderr
    assert "went on" not in done.stdout


def test_without_stat_ok_goes_on(bundles, stops):
    assert run([stops, "none", bundles["outcomes"]]).stdout.strip() == "went on"
