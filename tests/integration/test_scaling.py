"""The scaling benchmark as a user starts it, on a small domain. Its times are reported, never tested."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.full

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "scaling" / "run.py"
KEYS = {
    *("seconds_per_jump", "spread", "bytes_per_rank", "minimum_bytes"),
    *("float64_difference", "float32_difference", "bf16_difference", "oversubscribed"),
}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """What it writes for 1 and 2 ranks on 64²."""
    for tool in ("cmake", "mpicc", "mpirun"):
        if (
            shutil.which(tool, path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin")
            is None
        ):
            pytest.skip(f"{tool} is missing: .ci/system-packages installs it")
    out = tmp_path_factory.mktemp("scaling") / "scaling_here.json"
    options = ("--ranks", "1", "2", "--rounds", "2", "--cells", "64", "--out", out)
    done = subprocess.run(
        [sys.executable, SCRIPT, *options], capture_output=True, text=True, check=False, timeout=500
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (out.parent / "scaling.png").stat().st_size > 10_000
    return json.loads(out.read_text())


@pytest.mark.parametrize("mode", ["tiles", "gather", "batch"])
@pytest.mark.parametrize("ranks", ["1", "2"])
def test_every_mode_gives_the_frame_of_one_process(result, mode, ranks):
    row = result["modes"][mode][ranks]
    assert row.keys() >= KEYS
    assert row["float64_difference"] <= 1e-12
    assert row["float32_difference"] <= 1e-5
    assert row["bf16_difference"] <= 0.1


def test_tiles_receive_little_more_than_the_halo(result):
    row = result["modes"]["tiles"]["2"]
    # 4 channels, rows of 64 cells, 11 of them on both sides
    assert row["minimum_bytes"] == 4 * 4 * 64 * 2 * 11
    assert row["minimum_bytes"] <= row["bytes_per_rank"] <= 1.2 * row["minimum_bytes"]
    assert result["modes"]["tiles"]["1"]["bytes_per_rank"] == 0


def test_the_projection_says_that_it_is_one(result):
    assert "projection" in result["projection"]["is"]
    assert result["projection"]["assumptions"]
    for net in result["projection"]["nets"].values():
        assert [row["ranks"] for row in net["rows"]][::4] == [1_000, 100_000]
        assert all(0 < row["weak"]["efficiency"] <= 1 for row in net["rows"])


def test_the_other_figures_are_there(result):
    assert isinstance(result["tiles_over_serial_us"], float)
    assert "pay" in result["overlap"]["answer"]
    assert result["measured"]["latency_seconds"] > 0
    assert result["environment"]["commit"]
