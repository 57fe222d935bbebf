"""The hidden-flow data set: patches of br alone from whole-Sun frames of flux_transport, one file a patch.

    python patches.py --out .data/flux_hidden_64

Frames stand 4 h apart; pairs are 3 frames apart (12 h). The flow that moved the field is left out: it decorrelates
within a day, so the frame at t2 is a draw from a distribution. Parts are sectors of longitude, the same in both runs
(they start from one map), with a patch left out between them; files are numbered train, validation, test. Frames that
are not there are made: from the HMI map in SURROGATE_DATA as the magnetogram benchmark does, or with --map none from
the seed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from surrogate import Recorder
from surrogate.io.hdf5 import FrameFile

ROOT = Path(__file__).resolve().parents[2]
SOLVER = ROOT / "build" / "bin" / "flux_transport"
GENERATE = ROOT / "benchmarks" / "solvers" / "flux_transport" / "generate.py"
SEEDS = (2252, 2253)
CELLS, FRAMES, HOURS, LATITUDES = (2048, 256), 31, 4, (-22.5, 22.5)  # as benchmarks/magnetogram
SIZE = 64
PARTS = {"train": range(21), "validation": range(22, 24), "test": range(25, 31)}
"""Columns of patches of each part; 21, 24 and 31 (11.25 degrees each) are the buffers."""


@dataclass(frozen=True)
class Patch:
    """Where a patch is cut: run, and first row and column."""

    seed: int
    row: int
    column: int


def patches(part: str) -> Iterator[Patch]:
    """Every patch of a part."""
    for seed in SEEDS:
        for column in PARTS[part]:
            for row in range(0, CELLS[1], SIZE):
                yield Patch(seed, row, column * SIZE)


def cut(source: FrameFile, patch: Patch, path: Path, number: int) -> None:
    """Write the frames of a patch; the file gets its name when it is complete."""
    rows, columns = (slice(start, start + SIZE) for start in (patch.row, patch.column))
    br = source.read("br", 0, source.frames)[:, rows, columns]  # (frames, 64, 64)
    degrees = (LATITUDES[1] - LATITUDES[0]) / CELLS[1], 360 / CELLS[0]
    origin = LATITUDES[0] + (patch.row + 0.5) * degrees[0], (patch.column + 0.5) * degrees[1]
    partial = path.with_suffix(".partial")
    with Recorder(
        partial,
        name="flux_hidden",
        description="Patches of the Sun's radial field by surface flux transport; the flow is left out.",
        units={"br": source.unit("br")},
        time_unit=source.time_unit,
        length_unit="deg",
        spacing=degrees,
        origin=origin,
        boundary=("open", "open"),
        trajectory=number,
        seed=patch.seed,
        precision="float32",
        overwrite=True,
    ) as recorder:
        for time, frame in zip(source.times(), br, strict=True):
            recorder.write(float(time), {"br": frame})
    partial.rename(path)


def frames_file(folder: Path, seed: int, map_name: str | None) -> Path:
    """The solver's frames, made if they are not there."""
    path = folder / f"frames_{seed}.h5"
    if not path.is_file():
        if not SOLVER.is_file():
            raise SystemExit(f"{SOLVER} does not exist: build it with `make native`")
        folder.mkdir(parents=True, exist_ok=True)
        options = ["--solver", SOLVER, "--out", path, "--seed", seed, "--cells", *CELLS]
        options += ["--latitudes", *LATITUDES, "--frames", FRAMES, "--interval", HOURS]
        options += ["--map", map_name] if map_name else []
        subprocess.run([sys.executable, GENERATE, *map(str, options)], check=True)
    return path


def main() -> None:
    """Cut what is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--frames", type=Path, default=ROOT / ".data" / "magnetogram")
    parser.add_argument("--map", help="of frames that are made: a synoptic map, or none")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    everything = [patch for part in PARTS for patch in patches(part)]
    paths = [given.out / f"trajectory_{number:06d}.h5" for number in range(len(everything))]
    missing = [n for n, path in enumerate(paths) if not path.exists()]
    for seed in sorted({everything[n].seed for n in missing}):
        with FrameFile(frames_file(given.frames, seed, given.map)) as source:
            for number in missing:
                if everything[number].seed == seed:
                    cut(source, everything[number], paths[number], number)
    counts = {part: sum(1 for _ in patches(part)) for part in PARTS}
    print(f"{len(everything)} patches in {given.out}: {counts}")


if __name__ == "__main__":
    main()
