"""Every rank's block of the frame is, bit by bit, that of one process with the whole domain: in every mode."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bundles import field, stub_bundle
from mpirun import mpirun, program

FIELDS = [
    field("rho", mean=0.1, std=1.5, scale=0.3),
    field("v", components=2, std=2.0),
    field("mask", prediction=None),
]
# v_y, mask and rho, shifted: increments of rho, v_x and v_y that come from other channels and cells
PROGRAM = {"operation": "affine", "scale": [0.5, 2.0, -1.0], "offset": [0.0, 0.25, 0.0]}
CHANNELS = [2, 3, 0]
SHIFT = [2, -1, 3]
AXES = ["z", "y", "x"]


def shifting_bundle(
    folder: Path,
    axes: int,
    *,
    boundary: str = "periodic",
    multiple_of: int = 1,
    stride: int = 1,
    noise: float = 0.0,
    shift: list[int] | None = None,
    reduces_over_space: bool = False,
    **more: Any,
) -> Path:
    """A program whose outputs depend on one cell within `shift`; along axis 0 `boundary`, else periodic."""
    shift = (shift or SHIFT)[:axes]
    grid = {
        "axes": AXES[3 - axes :],
        "multiple_of": [multiple_of] * axes,
        "minimum_shape": [multiple_of] * axes,
        "boundary": [boundary] + ["periodic"] * (axes - 1),
    }
    locality = {
        "receptive_field": [abs(s) for s in shift],
        "stride": [stride] * axes,
        "reduces_over_space": reduces_over_space,
    }
    stub = {**PROGRAM, "channels": CHANNELS, "shift": shift, "noise": noise}
    if noise:
        more["noise"] = [{"name": "xi", "channels": 2}]
    return stub_bundle(folder, FIELDS, stub, grid=grid, locality=locality, **more)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a bundle by the arguments of `shifting_bundle`."""

    def make(axes: int, **more: Any) -> Path:
        folder = tmp_path_factory.mktemp("bundle") / "shifting.surrogate"
        return shifting_bundle(folder, axes, **more)

    return make


def predict(bundle: Path, mode: str, ranks: int, shape: str, parts: str, *more: str) -> list[str]:
    """What the ranks report, in their order; the program fails unless all frames are right."""
    command = [program("mpi_predict"), bundle, mode, shape, parts, *more]
    done = mpirun(command, ranks, environment={"SURROGATE_MPI_RANKS_PER_NODE": "2"})
    return sorted(done.stdout.splitlines())


MODES = ["auto", "tiles", "gather", "batch"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("ranks", "parts"), [(1, "1x1"), (2, "1x2"), (4, "2x2"), (4, "1x4")])
def test_frame_is_that_of_one_process(
    bundle: Callable[..., Path], mode: str, ranks: int, parts: str
) -> None:
    predict(bundle(2), mode, ranks, "24x40", parts)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("shape", "parts"), [("60", "4"), ("24x20x18", "2x2x1"), ("16x12x24", "1x2x2")]
)
def test_domains_of_one_and_three_axes(
    bundle: Callable[..., Path], mode: str, shape: str, parts: str
) -> None:
    predict(bundle(shape.count("x") + 1), mode, 4, shape, parts)


@pytest.mark.parametrize("mode", MODES)
def test_random_numbers_belong_to_the_cells_of_the_domain(
    bundle: Callable[..., Path], mode: str
) -> None:
    predict(bundle(2, noise=0.5), mode, 4, "24x40", "2x2")


@pytest.mark.parametrize("mode", MODES)
def test_tiles_are_cut_at_walls(bundle: Callable[..., Path], mode: str) -> None:
    # the stub knows no walls: cells that it reads from beyond them are not compared
    predict(bundle(2, boundary="wall"), mode, 4, "24x40", "4x1", "0x0", "2")


@pytest.mark.parametrize("mode", ["tiles", "batch"])
def test_tiles_begin_on_the_stride_and_obey_the_grid_rule(
    bundle: Callable[..., Path], mode: str
) -> None:
    predict(bundle(2, multiple_of=8, stride=4), mode, 4, "64x96", "2x2")


@pytest.mark.parametrize("ranks", [2, 4])
def test_halo_reaches_past_the_neighbour(bundle: Callable[..., Path], ranks: int) -> None:
    lines = predict(bundle(1, shift=[-9]), "tiles", ranks, "40", str(ranks))
    assert len(lines) == ranks


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_regular_tiles_are_the_same_on_any_number_of_ranks(
    bundle: Callable[..., Path], ranks: int
) -> None:
    parts = {1: "1x1", 2: "2x1", 4: "2x2"}[ranks]
    lines = predict(bundle(2, multiple_of=4), "tiles", ranks, "24x40", parts, "8x16")
    counts = [int(line.split(" tiles of")[0].split()[-1]) for line in lines]
    assert sum(counts) == 9
    assert all(" of 12x20x0, " in line for line in lines)


def test_auto_gathers_blocks_that_are_smaller_than_their_halo(bundle: Callable[..., Path]) -> None:
    lines = predict(bundle(1, shift=[-9]), "auto", 4, "40", "4")
    why = ": gather: the block [4:12] of rank 0 is smaller than its halo of (9) cells"
    assert all(why in line for line in lines)
    assert [" 1 tiles of 40x0x0" in line for line in lines] == [False, False, False, True]


def test_auto_gathers_where_every_output_depends_on_the_whole_domain(
    bundle: Callable[..., Path],
) -> None:
    lines = predict(bundle(2, reduces_over_space=True), "auto", 2, "24x40", "1x2")
    assert all(": gather: every output of the model depends on" in line for line in lines)


def test_leaders_run_the_tiles_of_their_nodes(bundle: Callable[..., Path]) -> None:
    lines = predict(bundle(2), "batch", 4, "24x40", "2x2")
    assert [int(line.split(" tiles of")[0].split()[-1]) for line in lines] == [2, 0, 2, 0]


def test_tiles_receive_the_halo_and_nothing_else(bundle: Callable[..., Path]) -> None:
    for line in predict(bundle(2, multiple_of=8, stride=4), "tiles", 4, "64x96", "2x2"):
        received, _, least, _ = line.rsplit(", ")[1].split()
        assert received == least != "0"
