"""A bundle is opened on all ranks or on none; programs are loaded where they run."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from compiling import need_compiler
from engines.aoti import compiled, unpacked, write_entry
from engines.torchscript import engine_folder
from mpirun import answers, long, program

RANKS = [1, *long(2), 4]
ERROR = "SURROGATE_ERROR_"
HERE = Path(__file__).resolve().parent


def _maker() -> ModuleType:
    path = HERE.parent / "c" / "make_bundles.py"
    specification = importlib.util.spec_from_file_location("make_bundles", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


make = _maker()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of one stub program, on grids of any size."""
    return write_bundle(tmp_path, "waves")


def write_bundle(folder: Path, name: str, **more: Any) -> Path:
    make.bundle(folder, name, [make.field("u")], make.affine(1, anywhere=True), **more)
    return folder / f"{name}.surrogate"


def play(
    folder: Path, ranks: int, *words: str, silent: int | None = None, **environment: str
) -> list[list[str]]:
    """What each rank answered to one open of `words` ([RANK:]KEY=VALUE)."""
    said = folder / "said"
    shutil.rmtree(said, ignore_errors=True)
    said.mkdir()
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    environment = {"SURROGATE_OVERLAY": "", "TMPDIR": str(scratch), **environment}
    command = [program("mpi_opening"), said, *words]
    result = answers(
        command, ranks, said, silent=[] if silent is None else [silent], environment=environment
    )
    if silent is None:
        left = [path.name for path in scratch.iterdir() if path.name.startswith("surrogate")]
        assert left == []
    return result


def facts(lines: list[str]) -> dict[str, str]:
    """The answers of a rank by their first word."""
    assert lines[0] == "SURROGATE_OK|", lines
    return {key: value for key, _, value in (line.partition(" ") for line in lines[1:])}


def assert_refused(said: list[list[str]], status: str, *parts: str) -> None:
    """All ranks returned `status`, with `parts` in the text, and no model."""
    for lines in said:
        assert lines[0].startswith(f"{ERROR}{status}|surrogate_mpi_open: "), lines[0]
        for part in parts:
            assert part in lines[0]
        assert lines[2] == "model NULL"


@pytest.mark.parametrize("ranks", RANKS)
def test_bundle_opens_on_all_ranks_and_closes(ranks: int, bundle: Path, tmp_path: Path) -> None:
    for rank, lines in enumerate(play(tmp_path, ranks, f"path={bundle}")):
        seen = facts(lines)
        assert seen["model"] == "open"
        assert seen["name"] == "waves"
        assert seen["program"] == "stub stub"
        assert seen["path"] == (str(bundle) if ranks == 1 else "")
        assert seen["nodes"] == f"1 0 {rank} {ranks}"
        assert seen["times"] == "fit"
        assert seen["close"] == "SURROGATE_OK|"
        assert seen["local"] == "NULL"
        assert seen["again"].startswith("SURROGATE_ERROR_ARGUMENT|")


def test_only_the_reader_needs_path_and_options(bundle: Path, tmp_path: Path) -> None:
    words = [
        "reader=2",
        f"2:path={bundle}",
        "2:engine=stub",
        "0:no_open=1",
        "1:no_open=1",
        "3:no_open=1",
    ]
    said = play(tmp_path, 4, *words)
    assert [facts(lines)["program"] for lines in said] == ["stub stub"] * 4


def test_communicator_of_other_order_or_of_one_rank_works(bundle: Path, tmp_path: Path) -> None:
    assert [
        facts(lines)["model"] for lines in play(tmp_path, 3, f"path={bundle}", "comm=split")
    ] == ["open"] * 3
    alone = play(tmp_path, 2, f"path={bundle}", "comm=self")
    assert [facts(lines)["nodes"] for lines in alone] == ["1 0 0 1"] * 2


def test_opening_again_and_again_works(bundle: Path, tmp_path: Path) -> None:
    said = play(tmp_path, 2, f"path={bundle}", "repeats=30")
    assert [lines.count("close SURROGATE_OK|") for lines in said] == [30, 30]


@pytest.mark.parametrize(
    ("comm", "ranks", "part"),
    [
        ("null", 1, "MPI_COMM_NULL"),
        ("null", 2, "MPI_COMM_NULL"),
        ("inter", 2, "inter-communicator"),
        ("inter", 4, "inter-communicator"),
    ],
)
def test_no_intra_communicator_is_refused(
    comm: str, ranks: int, part: str, bundle: Path, tmp_path: Path
) -> None:
    assert_refused(play(tmp_path, ranks, f"path={bundle}", f"comm={comm}"), "ARGUMENT", part)


@pytest.mark.parametrize(("when", "part"), [("before", "not initialised"), ("after", "finalised")])
def test_without_a_running_mpi_open_is_refused(
    when: str, part: str, bundle: Path, tmp_path: Path
) -> None:
    assert_refused(play(tmp_path, 2, f"path={bundle}", f"when={when}"), "ARGUMENT", part)


BAD = {
    "mode": (["mode=7"], "options.mode 7"),
    "mode of one rank": (["2:mode=-1"], "rank 2: options.mode -1"),
    "modes": (["mode=1", "2:mode=2"], "options.mode: rank 0 gave 1, rank 2 gave 2"),
    "readers": (["1:reader=1"], "options.reader: rank 0 gave 0, rank 1 gave 1"),
    "reader": (["reader=3"], "options.reader 3 given, expected a rank from 0 to 2"),
    "negative reader": (["reader=-1"], "options.reader -1"),
    "deadline": (["2:deadline=-1"], "rank 2: options.deadline -1"),
    "deadline of zero": (["deadline=0"], "options.deadline 0"),
    "deadline of nothing": (["deadline=nan"], "options.deadline nan"),
    "deadlines": (["1:deadline=5"], "options.deadline: rank 0 gave 600, rank 1 gave 5"),
    "leaders": (["1:leaders=-2"], "rank 1: options.leaders -2"),
    "tile": (["tile=-4"], "options.tile_shape [0, -4, 0]"),
    "tile of one axis": (["tile=4"], "options.tile_shape [0, 4] given, expected cells along every spatial axis"),
    "tiles": (["0:tile=4"], "options.tile_shape[1]: rank 0 gave 4, rank 1 gave 0"),
    "size": (["1:size=3"], "rank 1: options->struct_size is 3"),
    "size of open": (["1:open_size=3"], "rank 1: open->struct_size is 3"),
    "threads": (["2:threads=3"], "rank 2: open.threads '3' given, but the reader, rank 0, gave '0'"),
    "engine": (["0:engine=stub"], "rank 1: open.engine NULL given, but the reader, rank 0, gave 'stub'"),
    "path": (["1:path=other"], "rank 1: path 'other' given, but the reader, rank 0, gave '"),
    "device": (["device=tpu"], "options.device 'tpu'"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_options_are_refused_on_all_ranks(case: str, bundle: Path, tmp_path: Path) -> None:
    words, part = BAD[case]
    assert_refused(play(tmp_path, 3, f"path={bundle}", *words), "ARGUMENT", part)


def test_reader_without_a_path_is_refused(bundle: Path, tmp_path: Path) -> None:
    assert_refused(play(tmp_path, 2, f"1:path={bundle}"), "ARGUMENT", "rank 0: path is NULL")


def test_rank_without_a_place_for_the_model_is_told_with_all_others(
    bundle: Path, tmp_path: Path
) -> None:
    said = play(tmp_path, 3, f"path={bundle}", "1:no_model=1")
    assert all("rank 1: model is NULL" in lines[0] for lines in said)
    assert [lines[2] for lines in said] == ["model NULL", "model untouched", "model NULL"]


def test_recording_of_calls_is_for_one_rank(bundle: Path, tmp_path: Path) -> None:
    said = play(tmp_path, 2, f"path={bundle}", f"record_calls={tmp_path}/calls.h5")
    assert_refused(said, "UNSUPPORTED", "surrogate_mpi_recorder")


@pytest.mark.parametrize("ranks", RANKS)
def test_missing_bundle_is_told_by_the_reader(ranks: int, tmp_path: Path) -> None:
    said = play(tmp_path, ranks, f"path={tmp_path}/nothing.surrogate")
    assert_refused(said, "NOT_FOUND", "no bundle at", "" if ranks == 1 else "rank 0: ")


@pytest.mark.parametrize("damage", ["edited", "truncated", "missing", "manifest", "link"])
def test_damaged_bundle_opens_on_no_rank(damage: str, bundle: Path, tmp_path: Path) -> None:
    file = bundle / ("manifest.json" if damage == "manifest" else "programs/stub.json")
    status = "CORRUPT"
    if damage == "missing":
        file.unlink()
        status = "NOT_FOUND"
    elif damage == "link":
        outside = tmp_path / "stub.json"
        file.rename(outside)
        file.symlink_to(outside)
    else:
        text = file.read_bytes()
        file.write_bytes(text.replace(b"1.0", b"2.0") if damage == "edited" else text[:-5])
    assert_refused(play(tmp_path, 3, f"path={bundle}"), status)


def test_guards_of_a_file_are_read_by_the_reader(bundle: Path, tmp_path: Path) -> None:
    guards = tmp_path / "guards.json"
    guards.write_text('{"conserved": {"tolerance": 0.1}}')
    said = play(tmp_path, 2, f"path={bundle}", f"guards={guards}")
    assert_refused(said, "ARGUMENT", "conserved")
    assert_refused(
        play(tmp_path, 2, f"path={bundle}", "guards=missing.json"), "NOT_FOUND", "rank 0: "
    )


GATHERED = {"reduces": {"locality": {"receptive_field": [2, 3], "stride": [1, 1], "reduces_over_space": True}},
            "fixed": {"grid": make.grid(fixed_shape=[8, 12])}}  # fmt: skip


@pytest.mark.parametrize("kind", GATHERED)
def test_program_of_the_whole_domain_is_loaded_by_the_reader_only(
    kind: str, tmp_path: Path
) -> None:
    bundle = write_bundle(tmp_path, "whole", **GATHERED[kind])
    seen = [facts(lines) for lines in play(tmp_path, 3, f"path={bundle}", "reader=1")]
    assert [rank["program"].split()[0] for rank in seen] == ["none", "stub", "none"]
    assert all(rank["mode"] == "gather" and rank["runners"] == "1" for rank in seen)
    assert [rank["threads"] == "0" for rank in seen] == [True, False, True]
    assert all(rank["name"] == "whole" for rank in seen)


@pytest.mark.parametrize(
    ("leaders", "runners", "leads"),
    [(0, "0,3", "0,0,0,3,3"), (2, "0,2,3,4", "0,0,2,3,4"), (9, "0,1,2,3,4", "0,1,2,3,4")],
)
def test_leaders_of_each_node_run_batches(
    leaders: int, runners: str, leads: str, bundle: Path, tmp_path: Path
) -> None:
    words = [f"path={bundle}", "mode=3", f"leaders={leaders}", "reader=4"]
    said = play(tmp_path, 5, *words, SURROGATE_MPI_RANKS_PER_NODE="3")
    for rank, seen in enumerate(map(facts, said)):
        assert (seen["runners"], seen["leaders"]) == (runners, leads)
        assert seen["program"].split()[0] == ("stub" if str(rank) in runners else "none")
        assert seen["nodes"] == f"2 {rank // 3} {rank % 3} {3 if rank < 3 else 2}"


@pytest.mark.parametrize("per_node", ["1", "2", "3"])
@pytest.mark.parametrize("reader", [0, 1, 3])
def test_every_node_gets_the_bytes(
    per_node: str, reader: int, bundle: Path, tmp_path: Path
) -> None:
    words = [f"path={bundle}", f"reader={reader}"]
    said = play(tmp_path, 4, *words, SURROGATE_MPI_RANKS_PER_NODE=per_node)
    assert [facts(lines)["program"] for lines in said] == ["stub stub"] * 4


def test_cores_are_shared_by_the_ranks_that_run(bundle: Path, tmp_path: Path) -> None:
    cores = len(os.sched_getaffinity(0))
    environment = {"OMP_NUM_THREADS": "64"}
    said = play(tmp_path, 2, f"path={bundle}", **environment)
    assert [facts(lines)["threads"] for lines in said] == [str(max(1, cores // 2))] * 2
    said = play(tmp_path, 2, f"path={bundle}", "mode=2", **environment)
    assert [facts(lines)["threads"] for lines in said] == [str(cores), "0"]
    assert facts(play(tmp_path, 2, f"path={bundle}", "threads=3")[1])["threads"] == "3"
    said = play(tmp_path, 2, f"path={bundle}", "mode=2", OMP_NUM_THREADS="1")
    assert facts(said[0])["threads"] == "1"


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A stand-in for NVIDIA's driver on the loader's path."""
    folder = tmp_path_factory.mktemp("driver")
    command = [need_compiler("gcc"), "-shared", "-fPIC", str(HERE / "fake_cuda.c")]
    subprocess.run([*command, "-o", str(folder / "libcuda.so.1")], check=True)
    return {"LD_LIBRARY_PATH": f"{folder}:{os.environ.get('LD_LIBRARY_PATH', '')}"}


def warnings(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("log|2|")]


def test_gpus_are_dealt_out_to_the_ranks_of_a_node(
    driver: dict[str, str], bundle: Path, tmp_path: Path
) -> None:
    words = [f"path={bundle}", "device=cuda"]
    said = play(tmp_path, 4, *words, **driver, FAKE_GPUS="2", SURROGATE_MPI_RANKS_PER_NODE="2")
    assert [facts(lines)["device"] for lines in said] == ["cuda:0 0", "cuda:1 1"] * 2
    assert all(facts(lines)["mode"] == "tiles" and not warnings(lines) for lines in said)


def test_more_ranks_than_gpus_are_batched_by_one_leader_a_gpu(
    driver: dict[str, str], bundle: Path, tmp_path: Path
) -> None:
    said = play(tmp_path, 5, f"path={bundle}", "device=cuda", **driver, FAKE_GPUS="2")
    seen = [facts(lines) for lines in said]
    assert all(rank["mode"] == "batch" and rank["runners"] == "0,3" for rank in seen)
    idle = "cuda:0 -1"
    assert [rank["device"] for rank in seen] == ["cuda:0 0", idle, idle, "cuda:1 1", idle]
    assert not any(warnings(lines) for lines in said)


def test_ranks_that_share_a_gpu_are_warned(
    driver: dict[str, str], bundle: Path, tmp_path: Path
) -> None:
    words = [f"path={bundle}", "device=cuda", "mode=1"]
    said = play(tmp_path, 3, *words, **driver, FAKE_GPUS="2")
    assert [facts(lines)["device"] for lines in said] == ["cuda:0 0", "cuda:1 1", "cuda:0 0"]
    assert [len(warnings(lines)) for lines in said] == [1, 0, 1]
    assert "2 ranks of this node share cuda:0" in warnings(said[0])[0]
    said = play(tmp_path, 2, f"path={bundle}", "device=cuda:1", "mode=1", **driver, FAKE_GPUS="2")
    assert [len(warnings(lines)) for lines in said] == [1, 1]


def test_without_a_driver_the_device_is_left_to_the_engine(bundle: Path, tmp_path: Path) -> None:
    said = play(tmp_path, 2, f"path={bundle}", "device=cuda")
    assert [facts(lines)["device"] for lines in said] == ["cuda:0 0"] * 2


def lowered(overlay: Path, bundle: Path, **changes: Any) -> Path:
    """The entry `fast` of a stub program in `overlay`."""
    payload = overlay.with_suffix(".json")
    payload.write_text(json.dumps(make.affine(1)))
    stub = {"engine": "stub", "format": "stub", "made_with": "stub 1"}
    return write_entry(overlay, bundle, payload, name="fast", program=stub, **changes)


@pytest.mark.parametrize("per_node", ["1", "2", "4"])
def test_programs_of_the_overlay_reach_all_nodes(
    per_node: str, bundle: Path, tmp_path: Path
) -> None:
    overlay = tmp_path / "overlay"
    lowered(overlay, bundle)
    environment = {"SURROGATE_MPI_RANKS_PER_NODE": per_node}
    said = play(tmp_path, 4, f"path={bundle}", f"overlay={overlay}", **environment)
    assert [facts(lines)["program"] for lines in said] == ["stub fast"] * 4
    said = play(tmp_path, 2, f"path={bundle}", SURROGATE_OVERLAY=str(overlay))
    assert [facts(lines)["program"] for lines in said] == ["stub fast"] * 2
    said = play(tmp_path, 2, f"path={bundle}", "overlay=", SURROGATE_OVERLAY=str(overlay))
    assert [facts(lines)["program"] for lines in said] == ["stub stub"] * 2


def test_damaged_or_foreign_overlay_stops_nothing(bundle: Path, tmp_path: Path) -> None:
    entry = lowered(tmp_path / "damaged", bundle)
    (entry / "package").write_text("{}")
    lowered(tmp_path / "foreign", bundle, host={"isa": ["no-such-set"]})
    for name in ("damaged", "foreign", "missing"):
        said = play(tmp_path, 2, f"path={bundle}", f"overlay={tmp_path / name}")
        assert [facts(lines)["program"] for lines in said] == ["stub stub"] * 2


def test_node_without_room_for_programs_goes_on_and_all_are_warned(
    bundle: Path, tmp_path: Path
) -> None:
    overlay = tmp_path / "overlay"
    lowered(overlay, bundle)
    words = [f"path={bundle}", f"overlay={overlay}", "2:temporary=/nowhere"]
    said = play(tmp_path, 4, *words, SURROGATE_MPI_RANKS_PER_NODE="2")
    programs = [facts(lines)["program"] for lines in said]
    assert programs == ["stub fast", "stub fast", "stub stub", "stub stub"]
    assert all(
        "rank 0 and rank 2 chose different programs" in warnings(lines)[-1] for lines in said
    )
    assert "cannot write /nowhere/surrogate-" in warnings(said[2])[0]


def test_compiled_program_runs_after_its_files_are_gone(bundle: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is missing: pip install torch==2.13.0")

    class Weighted(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = torch.nn.Parameter(torch.full((1, 1, 1, 1), 2.0))

        def forward(self, x: Any) -> Any:
            return torch.nn.functional.conv2d(x, self.weights)

    package = unpacked(compiled(Weighted(), tmp_path), tmp_path / "unpacked")
    write_entry(tmp_path / "overlay", bundle, package)
    words = [f"path={bundle}", f"overlay={tmp_path / 'overlay'}", "predict=1"]
    environment = {"SURROGATE_ENGINE_PATH": str(engine_folder())}
    for lines in play(tmp_path, 2, *words, **environment):
        seen = facts(lines)
        assert seen["program"] == "torch aoti-cpu-fp32"
        assert seen["predicted"] == "3 3"  # u + 2 u of 1, on grids of two sizes


def test_bundle_whose_program_must_be_a_file_is_unpacked(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path, "compiled", programs=[make.program(format="aoti")])
    for lines in play(tmp_path, 3, f"path={bundle}", SURROGATE_MPI_RANKS_PER_NODE="2"):
        seen = facts(lines)
        assert seen["program"] == "stub stub"
        assert seen["name"] == "compiled"
        assert seen["path"].endswith("/bundle")
        assert not Path(seen["path"]).exists()


@pytest.mark.parametrize("silent", [0, 1, 3])
def test_rank_that_falls_silent_while_it_loads_is_named(
    silent: int, bundle: Path, tmp_path: Path
) -> None:
    words = [f"path={bundle}", "deadline=1", f"{silent}:stop_in_log=1", "silent=1"]
    said = play(tmp_path, 4, *words, silent=silent)
    for lines in said[:silent] + said[silent + 1 :]:
        assert f"{ERROR}TIMEOUT|surrogate_mpi_open: rank {silent} was not heard of" in lines[0]
        assert float(lines[1].split()[1]) < 4
        assert lines[2] == "model NULL"


def test_rank_that_falls_silent_before_close_is_named(bundle: Path, tmp_path: Path) -> None:
    words = [f"path={bundle}", "deadline=1", "1:stop_before_close=1", "silent=1"]
    for rank, lines in enumerate(play(tmp_path, 3, *words, silent=1)):
        if rank != 1:
            seen = facts(lines)
            assert seen["close"].startswith(f"{ERROR}TIMEOUT|surrogate_mpi_close: rank 1 was not")
            assert seen["local"] == "NULL"
            assert seen["again"].startswith(f"{ERROR}ARGUMENT|")
