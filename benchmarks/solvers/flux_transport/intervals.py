"""What an interval of a recording is worth: persistence, displacement, the solver at half resolution.

    python intervals.py --solver build/bin/flux_transport .data/flux_transport/band.h5 --every 5

Per frame: the relative L2 distance to the next frame of the frame itself (persistence) and of the
solver restarted from it on half the cells a side, on the frame's grid and on its own (the next
frame restricted); median, least and greatest over patches of 128 x 128 cells away from the edges
in latitude. And how many cells the mean flow moves Br: root mean square and greatest.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surrogate.io.frames import FrameFile

Array = NDArray[np.float64]
SUN_RADIUS = 695.7e6  # m
PATCH = 128  # cells a side


def restrict(br: Array) -> Array:
    """Means of 2 x 2 cells (2 ny, 2 nx) -> (ny, nx); their areas differ by less than 1 %."""
    ny, nx = br.shape
    return np.asarray(br.reshape(ny // 2, 2, nx // 2, 2).mean(axis=(1, 3)))  # (ny/2, nx/2)


def prolong(br: Array) -> Array:
    """Means over half cells from the quadratic that has the means of three (ny, nx) -> (2 ny, 2 nx)."""
    for axis in (0, 1):
        slope = (np.roll(br, -1, axis) - np.roll(br, 1, axis)) / 8
        shape = [n * (2 if k == axis else 1) for k, n in enumerate(br.shape)]
        br = np.stack((br - slope, br + slope), axis=axis + 1).reshape(shape)
    return br


def patch_errors(frame: Array, truth: Array, side: int) -> Array:
    """Relative L2 errors of all patches of side x side cells, half a patch away from the edges in y."""
    ny, nx = truth.shape
    corners = [
        (j, i)
        for j in range(side // 2, ny - 3 * side // 2 + 1, side)
        for i in range(0, nx - side + 1, side)
    ]
    if not corners:
        raise SystemExit(f"the frames are too small for patches of {side} x {side} cells")
    cut = [np.s_[j : j + side, i : i + side] for j, i in corners]
    return np.array([np.linalg.norm(frame[c] - truth[c]) / np.linalg.norm(truth[c]) for c in cut])


def displacement(frames: FrameFile, index: int) -> Array:
    """Cells that the mean flow moves Br in the interval after a frame, shape (ny, nx)."""
    times = frames.times()
    seconds = 3600 * (times[1] - times[0])
    dlat, dlon = np.radians(frames.spacing)
    lat = np.radians(frames.constants["south"]) + dlat * (np.arange(frames.shape[0]) + 0.5)
    east = frames.read("vlon_mean", index, index + 1)[0] / (
        SUN_RADIUS * np.cos(lat)[:, None] * dlon
    )
    north = frames.read("vlat_mean", index, index + 1)[0] / (SUN_RADIUS * dlat)
    return np.asarray(seconds * np.hypot(east, north))


def solver_jump(
    solver: Path, path: Path, index: int, interval: float, cells: tuple[int, ...]
) -> Array:
    """Br (ny, nx) after the interval that follows a frame, from the solver restarted on `cells`."""
    ny, nx = cells
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "jump.h5"
        options = {
            "restart": path, "restart-frame": index, "nx": nx, "ny": ny, "frames": 2,
            "interval": interval, "output": out,
        }  # fmt: skip
        pairs = (text for name, value in options.items() for text in (f"--{name}", str(value)))
        subprocess.run([solver, *pairs], check=True, stdout=subprocess.DEVNULL)
        with FrameFile(out) as frames:
            return np.asarray(frames.read("br", 1, 2)[0], np.float64)


def spread(values: Array) -> str:
    """Median, least and greatest."""
    return f"{np.median(values):.3f} ({values.min():.3f}-{values.max():.3f})"


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recording", type=Path)
    parser.add_argument("--solver", type=Path, required=True, help="the flux_transport binary")
    parser.add_argument(
        "--every", type=int, default=1, help="frames from one measurement to the next"
    )
    given = parser.parse_args()
    print("frame  persistence           half resolution       on its own grid       cells moved")
    with FrameFile(given.recording) as frames:
        interval = float(np.diff(frames.times()[:2])[0])
        for index in range(0, frames.frames - 1, given.every):
            now, after = frames.read("br", index, index + 2).astype(np.float64)
            cells = tuple(n // 2 for n in frames.shape)
            half = solver_jump(given.solver.resolve(), given.recording, index, interval, cells)
            columns = [
                spread(patch_errors(now, after, PATCH)),
                spread(patch_errors(prolong(half), after, PATCH)),
                spread(patch_errors(half, restrict(after), PATCH // 2)),
            ]
            moved = displacement(frames, index)
            rms = np.sqrt(np.mean(moved**2))
            print(f"{index:5d}  {'   '.join(columns)}   {rms:.2f}, {moved.max():.1f}", flush=True)


if __name__ == "__main__":
    main()
