"""`surrogate lower`: what it writes, what it refuses, and that what it wrote is what the reference computes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import field, manifest
from engines.torchscript import engine_folder
from typer.testing import CliRunner

from surrogate import Surrogate
from surrogate.bundle.folder import MANIFEST, file_entry, write_bundle
from surrogate.bundle.manifest import Manifest
from surrogate.bundle.tensors import read_tensors
from surrogate.cli.main import app
from surrogate.errors import ArgumentError, EngineError, NotFoundError, ShapeError
from surrogate.lower import host, lowering
from surrogate.lower.engines import import_tensorrt, load_written
from surrogate.lower.gate import Gate, Verdict, gate_inputs
from surrogate.lower.lowering import GateError, lower
from surrogate.lower.overlay import bundle_hash, overlay_folder, read_entries, write_entry
from surrogate.verification import physical_state

torch = pytest.importorskip("torch", reason="torch is missing")

MULTIPLE = 4


class SmallNet(torch.nn.Module):
    """Strided, normed, transposed: every kind of node that is rewritten."""

    def __init__(self) -> None:
        super().__init__()
        nn = torch.nn
        self.entry = nn.Conv2d(2, 8, 3, padding=1)
        self.down = nn.Conv2d(8, 16, 4, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(16)
        self.up = nn.ConvTranspose2d(16, 8, 4, 2, 1, bias=False)
        self.up_norm = nn.BatchNorm2d(8)
        self.exit = nn.Conv2d(8, 2, 3, padding=1)

    def forward(self, x: Any) -> Any:
        h = torch.relu(self.entry(x))
        deep = torch.relu(self.norm(self.down(h)))
        return self.exit(h + self.up_norm(self.up(deep)))


def small_net() -> SmallNet:
    torch.manual_seed(0)
    net = SmallNet()
    with torch.no_grad():
        for _ in range(4):
            net(torch.randn(8, 2, 16, 16))  # statistics of the batch norms
    return net.eval()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the small net without validation errors, any grid of multiples of four."""
    return make_bundle(tmp_path_factory.mktemp("lower"), {})


def make_bundle(folder: Path, metrics: dict[str, Any]) -> Path:
    net, x = small_net(), torch.zeros(2, 2, 4 * MULTIPLE, 5 * MULTIPLE)
    sides = {2 + i: MULTIPLE * torch.export.Dim(name, min=2) for i, name in enumerate("hw")}
    exported = torch.export.export(
        net, (x,), dynamic_shapes=({0: torch.export.Dim("batch"), **sides},)
    )
    torch.export.save(exported, folder / "portable.pt2")
    programs = [
        {
            "name": "portable",
            "engine": "torch",
            "format": "torch.export",
            "file": "programs/portable.pt2",
        }
    ]
    facts = manifest("small", [field("u"), field("v")], programs, MULTIPLE, metrics=metrics)
    facts["grid"]["minimum_shape"] = [2 * MULTIPLE] * 2
    path = folder / "small.surrogate"
    write_bundle(path, {"programs/portable.pt2": folder / "portable.pt2"}, **facts)
    return path


def run(arguments: list[Any]) -> Any:
    return CliRunner().invoke(app, [str(entry) for entry in arguments])


@pytest.fixture(scope="module")
def written(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A TorchScript program in bf16, lowered by the command; its program.json and folder."""
    overlay = tmp_path_factory.mktemp("overlay")
    done = run(
        [
            *["lower", bundle, "--engine=torchscript", "--precision=bf16", "--out", overlay],
            *["--threads=1", "--shape=16x24", "--json"],
        ]
    )
    assert done.exit_code == 0, done.output
    (entry,) = read_entries(overlay, bundle_hash(bundle))
    return {"overlay": overlay, "entry": entry, "answer": json.loads(done.stdout)}


def test_the_entry_says_what_the_library_must_know(bundle: Path, written: dict[str, Any]):
    entry = written["entry"]
    assert entry["schema"] == 1
    assert entry["bundle"] == hashlib.sha256((bundle / MANIFEST).read_bytes()).hexdigest()
    assert entry["program"] == {
        "name": "torchscript-cpu-bf16",
        "engine": "torch",
        "format": "torchscript",
        "device": "cpu",
        "precision": "bf16",
        "made_with": f"torch {torch.__version__.partition('+')[0]}",
    }
    (timing,) = entry["timings"]
    assert (timing["threads"], timing["shape"], timing["batch"]) == (1, [16, 24], 1)
    low, high = timing["spread"]
    assert 0 < low <= timing["milliseconds"] <= high
    assert entry["gate"]["kind"] == "max-norm"
    assert entry["gate"]["error"]["output"] <= entry["gate"]["limit"]["output"]


def test_the_entrys_folder_is_named_by_bundle_program_and_host(
    bundle: Path, written: dict[str, Any]
):
    folder = Path(written["entry"]["folder"])
    assert folder.name == f"torchscript-cpu-bf16-{host.host_key('cpu')}"
    assert folder.parent == written["overlay"] / bundle_hash(bundle)[:32]


def test_every_file_of_the_entry_is_listed_with_its_hash(written: dict[str, Any]):
    folder = Path(written["entry"]["folder"])
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found - {"program.json"} == set(written["entry"]["files"])
    for name, expected in written["entry"]["files"].items():
        assert file_entry(folder / name).model_dump() == expected


def test_nothing_partial_is_left_behind(written: dict[str, Any]):
    assert not [path.name for path in written["overlay"].glob("*/.*")]


def test_timings_of_the_bundles_programs_stand_beside_it(bundle: Path, written: dict[str, Any]):
    path = Path(written["entry"]["folder"]).parent / f"timings-{host.host_key('cpu')}.json"
    assert json.loads(path.read_text())["host"]["cpu"] == written["entry"]["host"]["cpu"]


def test_the_written_program_computes_the_net_on_any_allowed_grid(
    written: dict[str, Any],
):
    program = load_written("torchscript", Path(written["entry"]["folder"]), "cpu")
    for shape in ((1, 2, 16, 24), (3, 2, 12, 8)):
        x = torch.randn(*shape)
        with torch.no_grad():
            y, expected = program(x), small_net()(x)
        assert y.dtype == torch.float32
        assert (y - expected).abs().max() < 2e-2 * expected.abs().max()


def test_bf16_computes_in_bf16(written: dict[str, Any]):
    program = load_written("torchscript", Path(written["entry"]["folder"]), "cpu")
    x = torch.randn(1, 2, 16, 16)
    with torch.no_grad():
        assert (program(x) - small_net()(x)).abs().max() > 1e-5


def test_list_shows_the_program(bundle: Path, written: dict[str, Any]):
    done = run(["lower", bundle, "--list", "--out", written["overlay"]])
    assert done.exit_code == 0
    assert "torchscript-cpu-bf16" in done.stdout


def test_a_program_over_the_limit_is_refused_and_nothing_is_written(tmp_path: Path):
    # a model whose error is far below bfloat16's rounding: no half precision can serve it
    tiny = {"fields": {name: {"error": 1e-9} for name in "uv"}}
    bundle = make_bundle(tmp_path, tiny)
    done = run(
        ["lower", bundle, "--engine=torchscript", "--precision=bf16", "--out", tmp_path / "overlay"]
    )
    assert done.exit_code == 1
    assert "u: " in done.stderr
    assert "limit 5e-11" in done.stderr
    assert not (tmp_path / "overlay").exists()


def test_the_gate_catches_a_program_with_one_wrong_channel(tmp_path: Path):
    bundle = make_bundle(tmp_path, {"fields": {name: {"error": 0.1} for name in "uv"}})
    gate = Gate(bundle, Manifest.read(bundle / MANIFEST), (16, 16))
    net = small_net()

    def wrong(x: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            y = net(torch.from_numpy(x)).numpy()
        y[:, 1] += 0.02
        return y

    verdict = gate.judge(wrong, "fp32")
    assert not verdict.passed
    assert verdict.error["u"] < 1e-5
    assert verdict.text().startswith("v: ")


def test_the_gate_passes_no_nan():
    assert not Verdict("max-norm", {"output": float("nan")}, {"output": 1.0}).passed


def test_the_gates_states_stay_inside_the_trained_ranges(shipped: Path):
    facts = Manifest.read(shipped / MANIFEST)
    for (state,) in gate_inputs(shipped, facts, (128, 128)):
        for channel, entry in enumerate(facts.fields):
            (low, high), (mean,) = entry.trained_range[0], entry.normalisation.mean
            value = state[:, channel].astype(float) * entry.normalisation.std[0] + mean
            slack = 1e-5 * (high - low)
            assert low - slack <= value.min()
            assert value.max() <= high + slack


@pytest.fixture
def shipped() -> Path:
    from surrogate.paths import find_bundle

    return find_bundle("mhd2d_128")


@pytest.mark.full
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_aoti_of_the_default_bundle_passes_the_gate_unpacked(
    tmp_path: Path, shipped: Path, precision: str
):
    made = lower(shipped, engine="aoti", precision=precision, out=tmp_path, threads=[1])
    assert made.verdict.kind == "validation"
    assert made.verdict.worst <= 1
    assert list((made.folder / "package").rglob("*.so"))


def test_aoti_is_written_unpacked_and_runs_from_the_folder_on_any_allowed_grid(
    bundle: Path, tmp_path: Path
):
    made = lower(bundle, engine="aoti", precision="fp32", out=tmp_path, threads=[1])
    assert list((made.folder / "package").rglob("*.so"))
    program = load_written("aoti", made.folder, "cpu")
    for shape in ((1, 2, 16, 16), (3, 2, 12, 8)):
        x = torch.randn(*shape)
        with torch.no_grad():
            expected = small_net()(x)
        torch.testing.assert_close(program(x), expected, rtol=1e-4, atol=1e-4)


def test_aoti_names_the_instruction_sets_that_it_needs():
    assert set(host.compiled_isa()) <= set(host.cpu_flags())
    assert host.base_isa() or host.compiled_isa()


def test_tensorrt_without_its_library_names_the_extra(bundle: Path, monkeypatch: Any):
    import sys

    monkeypatch.setitem(sys.modules, "torch_tensorrt", None)
    with pytest.raises(EngineError, match=r"surrogate\[tensorrt\]"):
        import_tensorrt()
    with pytest.raises(EngineError, match=r"GPU|tensorrt"):
        lower(bundle, engine="tensorrt", device="cuda")


def test_cuda_without_a_gpu_says_so(bundle: Path, monkeypatch: Any):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EngineError, match="torch finds no GPU here"):
        lower(bundle, device="cuda")


def test_a_grid_that_the_model_refuses_is_refused_here_too(bundle: Path):
    with pytest.raises(ShapeError, match=r"multiples of \[4, 4\]"):
        lower(bundle, shape=[18, 16])


@pytest.mark.parametrize("option", ["engine", "device", "precision"])
def test_an_unknown_option_names_what_is_known(bundle: Path, option: str):
    with pytest.raises(ArgumentError, match="expected one of"):
        lower(bundle, **{option: "other"})


def test_a_bundle_without_a_portable_program_cannot_be_lowered(tmp_path: Path):
    from bundles import stub_bundle

    stub = {"channels": [0], "scale": [1.0], "offset": [0.0]}
    bundle = stub_bundle(tmp_path / "stub.surrogate", [field("u")], stub)
    with pytest.raises(NotFoundError, match=r"torch\.export"):
        lower(bundle)


def test_an_entry_that_fails_half_way_leaves_nothing(tmp_path: Path):
    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_entry(tmp_path, "0" * 64, "name", fail, {})
    assert not list((tmp_path / ("0" * 32)).iterdir())


def test_an_entry_replaces_the_one_of_its_name(tmp_path: Path):
    for text in ("old", "new"):
        folder = write_entry(
            tmp_path, "0" * 64, "name", lambda f, text=text: (f / "a").write_text(text), {}
        )
    assert (folder / "a").read_text() == "new"
    assert [path.name for path in folder.parent.iterdir()] == ["name"]


def test_the_overlay_may_be_named_by_the_environment(monkeypatch: Any, tmp_path: Path):
    monkeypatch.setenv("SURROGATE_OVERLAY", str(tmp_path))
    assert overlay_folder() == tmp_path
    assert overlay_folder(tmp_path / "given") == tmp_path / "given"
    monkeypatch.delenv("SURROGATE_OVERLAY")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert overlay_folder() == tmp_path / "surrogate" / "overlay"


def test_an_empty_overlay_variable_means_none_and_lowering_then_asks_for_a_folder(
    bundle: Path, monkeypatch: Any
):
    monkeypatch.setenv("SURROGATE_OVERLAY", "")
    done = run(["lower", bundle, "--engine=torchscript"])
    assert done.exit_code == 2
    assert "give --out" in done.stderr


def test_a_refusal_tells_what_to_do():
    verdict = Verdict("validation", {"u": 0.2}, {"u": 0.1})
    text = lowering._refusal("aoti", "bf16", "cpu", verdict)
    assert "nothing was written" in text
    assert "--precision fp32" in text
    assert issubclass(GateError, Exception)


def lowered_all(bundle: Path, overlay: Path) -> dict[str, Any]:
    return {
        made.name: made
        for engine, precision in (("aoti", "bf16"), ("torchscript", "bf16"))
        for made in [lower(bundle, engine=engine, precision=precision, out=overlay, threads=[1])]
    }


@pytest.mark.full
def test_the_library_runs_the_fastest_lowered_program_says_why_and_verifies_it(
    tmp_path: Path, shipped: Path
):
    made = lowered_all(shipped, tmp_path)
    times = {name: entry.timings[0]["milliseconds"] for name, entry in made.items()}
    options = {"engine_path": str(engine_folder()), "overlay": tmp_path}
    with Surrogate.open(shipped, threads=1, **options) as model:
        assert model.info.program == min(times, key=times.get)
        assert "the fastest of 4" in model.info.choice
    frames = {}
    tensors = read_tensors(shipped / "example.safetensors")
    state = physical_state(Manifest.read(shipped / MANIFEST), tensors["input"])[0]
    for name in made:
        for threads in (1, 2):
            with Surrogate.open(shipped, program=name, threads=threads, **options) as model:
                assert model.verify().passed
                frames[name, threads] = model.predict(state)
    for (name, threads), frame in frames.items():
        limit = 0.1 * frame.std(axis=(1, 2), keepdims=True)
        assert (np.abs(frame - frames[name, 1]) <= limit).all(), threads


def test_the_library_opens_a_lowered_package_and_computes_the_net(bundle: Path, tmp_path: Path):
    made = lower(bundle, engine="aoti", precision="fp32", out=tmp_path, threads=[1])
    options = {"engine_path": str(engine_folder()), "overlay": tmp_path}
    state = np.random.default_rng(0).standard_normal((2, 16, 24)).astype(np.float32)
    with torch.no_grad():
        expected = state + small_net()(torch.from_numpy(state)[None])[0].numpy()
    for threads in (1, 2):
        with Surrogate.open(bundle, threads=threads, **options) as model:
            assert model.info.program == made.name == "aoti-cpu-fp32"
            assert "by timings on this machine" in model.info.choice
            np.testing.assert_allclose(model.predict(state), expected, rtol=1e-4, atol=1e-4)
