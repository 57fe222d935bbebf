"""Resource use: what is read, how it is summed, and that reading it changes nothing."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from surrogate_training import checkpoint
from surrogate_training.runfolder import RunFolder
from surrogate_training.tracking.meter import Meter, Session, as_record, summarise
from surrogate_training.tracking.nvml import open_gpus
from surrogate_training.tracking.processes import ProcessTree
from surrogate_training.tracking.rapl import Rapl
from surrogate_training.tracking.resources import Resources, read_resources

Train = Callable[..., RunFolder]


class FakeNvml(ModuleType):
    """Two GPUs whose counters the test turns."""

    NVML_TEMPERATURE_GPU = 0

    def __init__(self, *, counts_energy: bool) -> None:
        super().__init__("pynvml")
        self.counts_energy, self.asked = counts_energy, []
        self.millijoules, self.milliwatts = 5_000_000, 200_000

    def nvmlInit(self) -> None:  # noqa: N802 - NVML's name, and those below
        pass

    def nvmlDeviceGetHandleByIndex(self, index: int) -> str:  # noqa: N802
        self.asked.append(index)
        return f"gpu {index}"

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        self.asked.append(uuid)
        return uuid

    def nvmlDeviceGetMemoryInfo(self, handle: str) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(used=3 * 2**30)

    def nvmlDeviceGetTemperature(self, handle: str, sensor: int) -> int:  # noqa: N802
        return 61

    def nvmlDeviceGetUtilizationRates(self, handle: str) -> SimpleNamespace:  # noqa: N802
        raise RuntimeError("Not Supported")

    def nvmlDeviceGetPowerUsage(self, handle: str) -> int:  # noqa: N802
        return self.milliwatts

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:  # noqa: N802
        if not self.counts_energy:
            raise RuntimeError("Not Supported")
        return self.millijoules


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeNvml]:
    def install(*, counts_energy: bool = True) -> FakeNvml:
        fake = FakeNvml(counts_energy=counts_energy)
        monkeypatch.setitem(sys.modules, "pynvml", fake)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        return fake

    return install


def no_rapl(tmp_path: Path) -> Rapl:
    return Rapl(tmp_path / "nothing")


def test_cpu_time_and_memory_of_this_process_are_seen() -> None:
    tree = ProcessTree()
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    found = tree.read()
    assert found["cpu_seconds"] >= 0.03  # the clock ticks every 10 ms
    assert found["memory_gib"] > 0.01
    assert tree.read()["cpu_seconds"] < found["cpu_seconds"]


def test_cpu_time_of_a_worker_that_has_ended_is_not_lost() -> None:
    tree = ProcessTree()
    busy = "import time\nwhile time.process_time() < 0.1: pass"
    subprocess.run([sys.executable, "-I", "-S", "-c", busy], check=True, timeout=60)
    assert tree.read()["cpu_seconds"] >= 0.08


def test_a_launchers_processes_are_one_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert ProcessTree().root.pid == os.getppid()
    monkeypatch.delenv("LOCAL_WORLD_SIZE")
    assert ProcessTree().root.pid == os.getpid()


def test_a_gpu_is_read_and_what_it_cannot_tell_is_left_out(
    nvml: Callable[..., FakeNvml], tmp_path: Path
) -> None:
    nvml()
    values = Meter("cuda:1", rapl=no_rapl(tmp_path)).read(4)
    assert {k: v for k, v in values.items() if k.startswith("gpu")} == {
        "gpu1_memory_gib": 3.0,
        "gpu1_temperature_c": 61.0,
        "gpu1_power_w": 200.0,
    }


def test_energy_is_the_counters_difference(nvml: Callable[..., FakeNvml], tmp_path: Path) -> None:
    fake = nvml()
    meter = Meter("cuda", rapl=no_rapl(tmp_path))
    fake.millijoules += 3_600_000_000  # 3.6 MJ: one kWh
    meter.read(1)
    meter.read(2)
    assert meter.session.gpu_kwh == pytest.approx(1.0)
    assert meter.session.cpu_kwh is None


def test_energy_without_a_counter_is_power_times_time(
    nvml: Callable[..., FakeNvml], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = nvml(counts_energy=False)
    meter = Meter("cuda", rapl=no_rapl(tmp_path))
    fake.milliwatts = 400_000
    monkeypatch.setattr(time, "monotonic", lambda now=meter.when: now + 3600)
    meter.read(1)
    assert meter.session.gpu_kwh == pytest.approx(0.3)  # an hour at 200 → 400 W


def test_visible_devices_are_counted_as_cuda_counts_them(
    nvml: Callable[..., FakeNvml], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = nvml()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-abc")
    assert [gpu.index for gpu in open_gpus("cuda:1")] == [1]
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert [gpu.index for gpu in open_gpus("cuda")] == [0, 1]
    assert fake.asked == ["GPU-abc", 3, "GPU-abc"]


def test_without_nvml_or_on_a_cpu_there_are_no_gpu_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    values = Meter("cuda", rapl=no_rapl(tmp_path)).read(1)
    assert not [name for name in values if name.startswith("gpu")]
    assert open_gpus("cpu") == []


def write_zone(folder: Path, zone: str, name: str, energy: int, limit: int = 1000) -> Path:
    (folder / zone).mkdir(parents=True, exist_ok=True)
    (folder / zone / "name").write_text(name + "\n")
    (folder / zone / "max_energy_range_uj").write_text(f"{limit}\n")
    (folder / zone / "energy_uj").write_text(f"{energy}\n")
    return folder / zone / "energy_uj"


def test_cpu_energy_counts_packages_and_memory_over_the_counters_end(tmp_path: Path) -> None:
    package = write_zone(tmp_path, "intel-rapl:0", "package-0", 900)
    memory = write_zone(tmp_path, "intel-rapl:0:1", "dram", 10)
    core = write_zone(tmp_path, "intel-rapl:0:0", "core", 10)
    rapl = Rapl(tmp_path)
    package.write_text("100\n")  # went round: 200 µJ
    memory.write_text("60\n")
    core.write_text("500\n")  # inside the package
    assert rapl.joules() == pytest.approx(250e-6)
    assert rapl.joules() == 0
    assert not Rapl(tmp_path / "nothing").readable


def test_sums_are_over_sessions_and_tell_what_was_measured() -> None:
    first = Session("a", 0, 4, seconds=10, cpu_seconds=8, gpu_kwh=0.2, peak_memory_gib=1)
    second = Session("b", 2, 6, seconds=5, cpu_seconds=4, gpu_kwh=0.1, peak_memory_gib=2)
    total = summarise([as_record(first), as_record(second)])
    assert total["seconds"] == 15
    assert total["peak_memory_gib"] == 2
    assert total["kwh"] == pytest.approx(0.3)
    assert total["measured"] == ["gpu"]
    second.gpu_kwh = None  # a part of the run is unknown, so the sum is
    assert "kwh" not in summarise([as_record(first), as_record(second)])


def test_readings_change_no_bit_of_the_training(train: Train, tmp_path: Path) -> None:
    plain, read = train(tmp_path / "a", []), train(tmp_path / "b", [Resources(interval=0.002)])
    a, b = (checkpoint.load(run.final_checkpoint).average for run in (plain, read))
    assert all(torch.equal(a[key], b[key]) for key in a)
    records = [json.loads(line) for line in read.metrics_file.read_text().splitlines()]
    kinds = [r["kind"] for r in records]
    assert kinds.count("resources") > 1
    assert kinds.count("train") == 6


def test_a_resumed_run_adds_a_session_and_drops_later_readings(
    train: Train, tmp_path: Path
) -> None:
    train(tmp_path, [Resources(interval=0.002)], until=5)
    with (tmp_path / "metrics.jsonl").open("a") as stream:
        stream.write('{"kind": "resources", "step": 6, "load": 99}\n')
    run = train(tmp_path, [Resources()], resume=True)
    found = read_resources(tmp_path)
    assert found is not None
    assert [(s["from_step"], s["to_step"]) for s in found["sessions"]] == [(0, 5), (5, 6)]
    assert found["seconds"] == sum(s["seconds"] for s in found["sessions"]) > 0
    assert '"load": 99' not in run.metrics_file.read_text()


def test_a_reading_that_fails_is_told_and_the_run_goes_on(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: Meter, step: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Meter, "read", broken)
    with caplog.at_level(logging.WARNING):
        run = train(tmp_path, [Resources(interval=0.002)])
    assert run.final_checkpoint.is_file()
    assert [r.message for r in caplog.records if "no space left" in r.message]
