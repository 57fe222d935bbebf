"""Memory stays flat over many predictions of the torch engine (tests/c/test_memory.c says what is counted)."""

from pathlib import Path

import pytest
from compiling import compile_program, run
from engines.torchscript import bundle_of, engine_folder, scripted_bytes

from surrogate import paths

torch = pytest.importorskip("torch", reason="torch is missing: pip install torch==2.13.0")
HOST = Path(__file__).resolve().parents[1] / "c" / "test_memory.c"


class Same(torch.nn.Module):
    def forward(self, x):
        return x


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    target = tmp_path_factory.mktemp("memory") / "test_memory"
    return compile_program(HOST, target, "-std=gnu11", "-O1", strict=False)


def stays_flat(host: Path, bundle: Path, size: int, calls: int) -> None:
    environment = {"SURROGATE_ENGINE_PATH": str(engine_folder()), "OMP_NUM_THREADS": "1"}
    run([host, bundle, size, calls], environment=environment, timeout=1800)


@pytest.mark.parametrize(
    "calls", [50_000, pytest.param(1_000_000, marks=pytest.mark.full)], ids=["short", "long"]
)
def test_identity_program(host, tmp_path, calls):
    identity = bundle_of(tmp_path / "same.surrogate", scripted_bytes(torch.jit.script(Same())))
    stays_flat(host, identity, 64, calls)


@pytest.mark.parametrize(
    "calls", [500, pytest.param(10_000, marks=pytest.mark.full)], ids=["short", "long"]
)
def test_shipped_default(host, calls):
    stays_flat(host, paths.shipped_bundles()["mhd2d_128"], 16, calls)
