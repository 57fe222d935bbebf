"""Hosts with floating-point traps survive every call and keep their traps, on the main thread and on workers."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundles import field, manifest
from compiling import compile_program, run
from engines import aoti
from engines.torchscript import PROGRAM, bundle_of, engine_folder, scripted_bytes

from surrogate.bundle.folder import write_bundle

torch = pytest.importorskip("torch", reason="torch is missing: pip install torch==2.13.0")
HERE = Path(__file__).resolve().parent
SIZE = 512  # large enough that torch shares the work among threads


def raising_every_flag(x):
    """x, by way of 1/0, log(-1) and exp(1000) on every thread."""
    zero = x * 0.0
    wild = (1.0 / zero) + torch.log(zero - 1.0) + torch.exp(zero + 1000.0)
    return x + torch.nan_to_num(wild, 0.0, 0.0, 0.0) * 0.0


class RaisesEveryFlag(torch.nn.Module):
    """x; fails on a 12 × 12 grid."""

    def forward(self, x):
        if x.size(2) == 12:
            raise ValueError("twelve is too small")
        return raising_every_flag(x)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle") / "wild.surrogate"
    return bundle_of(folder, scripted_bytes(torch.jit.script(RaisesEveryFlag())))


def survive(host: Path, *arguments: object, openmp_threads: int = 2) -> str:
    environment = {
        "SURROGATE_ENGINE_PATH": str(engine_folder()),
        "OMP_NUM_THREADS": str(openmp_threads),
    }
    done = run([host, *map(str, arguments)], environment=environment)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "ok"
    return done.stdout


@pytest.fixture(scope="module")
def openmp_host(tmp_path_factory):
    target = tmp_path_factory.mktemp("host") / "openmp"
    return compile_program(
        HERE / "trapping_host.c",
        target,
        "-std=gnu11",
        "-fopenmp",
        "-O1",
        "-Wl,--no-as-needed",
        "-lm",
        strict=False,
    )


@pytest.mark.parametrize("threads", [0, 1, 2, 3])
@pytest.mark.parametrize("workers", ["early", "late"])
def test_openmp_host_with_feenableexcept(openmp_host, bundle, threads, workers):
    text = survive(openmp_host, bundle, SIZE, threads, workers)
    assert text.count("openmp ") == 1  # torch uses the host's libgomp: one pool


class Wild(torch.nn.Module):
    """x, on any grid."""

    def forward(self, x):
        return raising_every_flag(x)


@pytest.mark.full  # compiles for seconds
def test_openmp_host_of_a_compiled_program(openmp_host, tmp_path):
    package = aoti.compiled(Wild(), tmp_path)
    programs = [{**PROGRAM, "name": "aoti", "format": aoti.FORMAT, "file": "programs/aoti.pt2"}]
    bundle = tmp_path / "wild.surrogate"
    write_bundle(bundle, {"programs/aoti.pt2": package}, **manifest("wild", [field("u")], programs))
    for threads, workers in ((0, "early"), (2, "early"), (2, "late"), (1, "early")):
        text = survive(openmp_host, bundle, SIZE, threads, workers, "any")
        assert text.count("openmp ") == 1


def test_openmp_host_with_one_thread_and_a_model_with_two(openmp_host, bundle):
    survive(openmp_host, bundle, SIZE, 2, "early", openmp_threads=1)


@pytest.mark.parametrize("threads", [0, 2])
def test_host_without_openmp(tmp_path, bundle, threads):
    host = compile_program(
        HERE / "trapping_host.c",
        tmp_path / "serial",
        "-std=gnu11",
        "-O1",
        "-Wl,--no-as-needed",
        "-lm",
        strict=False,
    )
    text = survive(host, bundle, SIZE, threads, "late")
    assert "/torch/lib/" in next(line for line in text.splitlines() if line.startswith("openmp "))


def test_fortran_host_with_ffpe_trap(tmp_path, bundle):
    options = ["-fopenmp", "-ffpe-trap=invalid,zero,overflow", "-O1"]
    host = compile_program(HERE / "trapping_host.f90", tmp_path / "fortran", *options, strict=False)
    survive(host, bundle, SIZE, 0)
