"""Nothing of the host changes over any call of a model of the torch engine: tests/c/guest.h says what is watched."""

from pathlib import Path

import pytest
from compiling import compile_program, run
from engines.torchscript import bundle_of, engine_folder, scripted_bytes

from surrogate import paths

torch = pytest.importorskip("torch", reason="torch is missing: pip install torch==2.13.0")
HOST = Path(__file__).resolve().parents[1] / "c" / "test_guest.c"


class FailsOnTwelve(torch.nn.Module):
    def forward(self, x):
        if x.size(2) == 12:
            raise ValueError("twelve is too small")
        return x


def test_nothing_of_the_host_changes_over_any_call(tmp_path):
    host = compile_program(
        HOST,
        tmp_path / "guest",
        "-std=gnu11",
        "-fopenmp",
        "-O1",
        "-Wl,--no-as-needed",
        "-lm",
        "-ldl",
        strict=False,
    )
    failing = bundle_of(
        tmp_path / "failing.surrogate", scripted_bytes(torch.jit.script(FailsOnTwelve()))
    )
    environment = {"SURROGATE_ENGINE_PATH": str(engine_folder())}
    done = run(
        [host, paths.shipped_bundles()["mhd2d_128"], failing], environment=environment, timeout=120
    )
    assert done.stderr == ""
