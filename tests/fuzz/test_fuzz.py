"""The fuzz targets: the corpus and a bounded, seeded run in `make test`, a long one in `make test-full`."""

from pathlib import Path

import pytest
from compiling import BUILD, LIBRARY, run

HERE = Path(__file__).resolve().parent
# Mutations of the short and the long run: about 2.5 s and 45 s each on one core of 2.1 GHz.
RUNS = {
    "manifest": (8_000, 150_000),
    "safetensors": (20_000, 350_000),
    "bundle": (6_000, 110_000),
    "options": (3_500, 60_000),
    "overlay": (3_500, 60_000),
}


def fuzz(target: str, runs: int, seed: int, folder: Path) -> None:
    """Run a target; its input is in `folder`/crash-fuzz_<target> if it fails."""
    program = BUILD / "bin" / f"fuzz_{target}"
    if not program.exists():
        pytest.skip(f"{program} is missing: make native, with a compiler that has AddressSanitizer")
    found = folder / "found"
    found.mkdir()
    command = [program, f"-runs={runs}", f"-seed={seed}", found, HERE / "corpus" / target]
    run(command, environment={"SURROGATE_ENGINE_PATH": str(LIBRARY)}, timeout=900, folder=folder)
    assert any(found.iterdir()), "no mutation reached new code: is the target's code instrumented?"


def test_every_target_has_a_corpus():
    sources = {path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.cpp")}
    assert sources == set(RUNS)
    for target in sources:
        assert any((HERE / "corpus" / target).iterdir())


@pytest.mark.parametrize("target", RUNS)
def test_a_short_run_finds_nothing(target, tmp_path):
    fuzz(target, RUNS[target][0], 1, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("target", RUNS)
def test_a_long_run_finds_nothing(target, tmp_path):
    fuzz(target, RUNS[target][1], 2, tmp_path)
