"""surrogate.hpp: warning-free as C++17 and C++20, descriptors, ownership, exceptions and the path without them."""

from __future__ import annotations

from pathlib import Path

import pytest
from compiling import INCLUDE, compile_program, need_compiler, need_library, run, sanitizer_works

HERE = Path(__file__).parent
MIXING = {"operation": "affine", "scale": [0.5, 1.5], "offset": [0.25, 0.25], "channels": [1, 0]}
ONE = {"operation": "affine", "scale": [0.5], "offset": [0.25], "channels": [1]}
WARNINGS = [
    "-Wall",
    "-Wextra",
    "-pedantic",
    "-Wconversion",
    "-Wsign-conversion",
    "-Wshadow",
    "-Werror",
]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Stub bundles: two predicted fields, one bounded; one with a field that is only read; one with 39 of them."""
    need_library()
    pytest.importorskip(
        "surrogate", reason="surrogate is not installed: pip install .", exc_type=ImportError
    )
    from bundles import field, stub_bundle

    folder = tmp_path_factory.mktemp("bundles")
    bounds = {"finite": True, "bounds": {"c": {"lower": 0.0, "upper": 1.0}}}
    fields = [field("c", mean=0.25, std=0.5, scale=0.125), field("q", scale=0.25)]
    plain = stub_bundle(folder / "plain.surrogate", fields, MIXING, guards=bounds)
    fields = [field("u", scale=0.5), field("forcing", prediction=None)]
    condition = stub_bundle(folder / "condition.surrogate", fields, ONE)
    fields = [field("u0"), *(field(f"u{k}", prediction=None) for k in range(1, 40))]
    doubling = {"operation": "affine", "scale": [1.0], "offset": [0.0], "channels": [0]}
    many = stub_bundle(folder / "many.surrogate", fields, doubling)
    drawn = {"operation": "affine", "scale": [0.5], "offset": [0.0], "channels": [0], "noise": 0.5}
    noise = [{"name": "xi", "channels": 1}]
    noisy = stub_bundle(folder / "noisy.surrogate", [field("u")], drawn, noise=noise)
    return {"plain": plain, "condition": condition, "many": many, "noisy": noisy}


@pytest.mark.parametrize("standard", ["c++17", "c++20"])
@pytest.mark.parametrize("program", ["fields.cpp", "model.cpp", "series.cpp"])
def test_the_header_compiles_without_warnings(standard, program, tmp_path):
    options = [f"-std={standard}", *WARNINGS, f"-I{INCLUDE}", "-fsyntax-only"]
    run([need_compiler("g++"), *options, HERE / program])


def test_the_header_needs_no_other_header_of_ours():
    text = (INCLUDE / "surrogate" / "surrogate.hpp").read_text()
    own = [
        line
        for line in text.splitlines()
        if line.startswith("#include") and ("surrogate" in line or '"' in line)
    ]
    assert own == ["#include <surrogate/surrogate.h>"]


def test_builders_describe_arrays_as_the_c_functions_do(tmp_path):
    program = compile_program(HERE / "fields.cpp", tmp_path / "fields")
    assert run([program]).stdout.strip() == "all held"


def test_models_are_owned_once_and_every_outcome_is_told(bundles, tmp_path):
    sanitizer = ["-fsanitize=address"] if sanitizer_works() else []
    program = compile_program(HERE / "model.cpp", tmp_path / "model", "-g", *sanitizer)
    done = run([program, bundles["plain"], bundles["condition"], bundles["many"]])
    assert done.stdout.strip() == "all held"


def test_ensembles_rollouts_and_predictions_beside_the_solver(bundles, tmp_path):
    sanitizer = ["-fsanitize=address"] if sanitizer_works() else []
    program = compile_program(HERE / "series.cpp", tmp_path / "series", "-g", *sanitizer)
    assert run([program, bundles["noisy"], bundles["plain"]]).stdout.strip() == "all held"


def test_the_example_at_the_top_is_code(tmp_path):
    """As a whole statement a line: a formatter that reflows it turns code into comment."""
    text = (INCLUDE / "surrogate" / "surrogate.hpp").read_text()
    example = [line[7:] for line in text.splitlines() if line.startswith("//     ")]
    source = tmp_path / "example.cpp"
    source.write_text(
        "#include <surrogate/surrogate.hpp>\n"
        "void solver_advance(double);\n"
        "void step(double *rho_data, double *p_data, int ny, int nx) {\n"
        + "\n".join(example)
        + "\n}\n"
    )
    run([need_compiler("g++"), "-std=c++17", *WARNINGS, f"-I{INCLUDE}", "-fsyntax-only", source])
