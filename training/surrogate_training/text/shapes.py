"""Captioned pairs of which the caption says all but the place: a shape appears on a smooth background.

The state at t1 is a smooth random field; at t2 a shape has been added at a random place, as the caption says: "a large
red circle". Without the caption nobody can know which; without a random place no generative model would be needed.
Training and validation lack some combinations of words; the test set has all of them, so it shows whether words are
understood one by one. Run as ``python -m surrogate_training.text.shapes FOLDER``.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from surrogate.text import words
from surrogate_training.data.captions import write_captions
from surrogate_training.data.runs import Place

Array = NDArray[np.float32]

AREAS = {"small": 0.04, "medium": 0.09, "large": 0.2}
"""Share of the domain that a shape covers, whatever its form."""
COLOURS: dict[int, dict[str, tuple[float, ...]]] = {
    1: {"bright": (1.0,), "dark": (-1.0,)},
    2: {"red": (1.0, 0.0), "green": (0.0, 1.0), "yellow": (1.0, 1.0)},
    3: {
        "red": (1.0, 0.0, 0.0),
        "green": (0.0, 1.0, 0.0),
        "blue": (0.0, 0.0, 1.0),
        "yellow": (1.0, 1.0, 0.0),
        "cyan": (0.0, 1.0, 1.0),
        "magenta": (1.0, 0.0, 1.0),
    },
}
"""What a shape adds to each channel, by the number of channels."""
FORMS = ("circle", "triangle", "ring")
CHANNELS = ("r", "g", "b")
HOLE = 0.55
"""Inner radius of a ring in units of its outer one."""
BACKGROUND, WAVES = 0.2, 3
"""Standard deviation of the background, and its largest number of waves across the domain."""


@dataclass(frozen=True)
class Shape:
    """What a caption says."""

    size: str
    colour: str
    form: str

    @property
    def caption(self) -> str:
        """For instance "a large red circle"."""
        return f"a {self.size} {self.colour} {self.form}"

    @classmethod
    def of(cls, caption: str) -> Shape:
        """The shape of a caption that :attr:`caption` has made."""
        _, size, colour, form = words(caption)
        return cls(size, colour, form)


def shapes(channels: int) -> list[Shape]:
    """Every combination of size, colour and form."""
    return [Shape(*combination) for combination in product(AREAS, COLOURS[channels], FORMS)]


def is_held_out(shape: Shape, channels: int) -> bool:
    """Whether training has no such combination: every sixth, each of its words in many others."""
    where = list(AREAS).index(shape.size) + list(COLOURS[channels]).index(shape.colour)
    return (where + 2 * FORMS.index(shape.form)) % 6 == 5


def mask(shape: Shape, cells: int, rng: np.random.Generator) -> Array:
    """A shape at a random place and angle of the periodic square, (cells, cells): 1 inside, 0 outside.

    Its area varies by 10 %; its edge is one cell wide.
    """
    area = AREAS[shape.size] * cells**2 * rng.uniform(0.9, 1.1)
    y, x = (_wrapped(np.arange(cells) - rng.uniform(0, cells), cells) for _ in range(2))
    distance = _distance(shape.form, x[None, :], y[:, None], area, rng.uniform(0, 2 * np.pi))
    return np.clip(0.5 - distance, 0, 1).astype(np.float32)


def _wrapped(x: NDArray[Any], cells: int) -> NDArray[np.float64]:
    return np.asarray((x + cells / 2) % cells - cells / 2, np.float64)


def _distance(
    form: str, x: NDArray[np.float64], y: NDArray[np.float64], area: float, angle: float
) -> NDArray[np.float64]:
    """Distance from the edge in cells, (ny, nx); negative inside."""
    r = np.hypot(x, y)
    if form == "circle":
        return np.asarray(r - np.sqrt(area / np.pi))
    if form == "ring":
        outer = np.sqrt(area / (np.pi * (1 - HOLE**2)))
        return np.asarray(np.maximum(r - outer, HOLE * outer - r))
    # an equilateral triangle of side a: its edges are a / (2 sqrt 3) from the centre, its area sqrt(3) / 4 a²
    inner = np.sqrt(area / (3 * np.sqrt(3)))
    normals = angle + 2 * np.pi / 3 * np.arange(3)
    return np.asarray(np.max([x * np.cos(n) + y * np.sin(n) - inner for n in normals], axis=0))


def background(channels: int, cells: int, rng: np.random.Generator) -> Array:
    """Independent smooth periodic fields, (channels, cells, cells)."""
    k = np.fft.fftfreq(cells, 1 / cells)
    passed = np.hypot(k[:, None], k[None, :]) <= WAVES
    made = np.fft.ifft2(passed * np.fft.fft2(rng.standard_normal((channels, cells, cells)))).real
    return np.asarray(BACKGROUND * made / made.std((1, 2), keepdims=True), np.float32)


def pair(shape: Shape, *, channels: int, cells: int, rng: np.random.Generator) -> Array:
    """States before and after the shape has appeared, (2, channels, cells, cells)."""
    before = background(channels, cells, rng)
    colour = np.array(COLOURS[channels][shape.colour], np.float32)[:, None, None]
    return np.stack([before, before + colour * mask(shape, cells, rng)])


def write(
    folder: Path, *, train: int, held: int, channels: int = 3, cells: int = 32, seed: int = 0
) -> None:
    """Write a file a combination and part, in the order train, validation, test, and ``captions.csv``.

    Parameters
    ----------
    folder : Path
        Where to.
    train, held : int
        Pairs of each combination in training, and in validation and test.
    channels : {1, 2, 3}
        Of the fields, named r, g and b.
    cells : int
        Along each axis.
    seed : int
        Of places, angles and backgrounds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    every = shapes(channels)
    known = [shape for shape in every if not is_held_out(shape, channels)]
    parts = [(s, train) for s in known] + [(s, held) for s in known] + [(s, held) for s in every]
    captions: dict[Place, str] = {}
    for number, (shape, count) in enumerate(parts):
        rng = np.random.default_rng([seed, number])
        pairs = [pair(shape, channels=channels, cells=cells, rng=rng) for _ in range(count)]
        file = folder / f"trajectory_{number:06d}.h5"
        _write_file(file, np.stack(pairs))
        captions |= {Place(file, n, 0): shape.caption for n in range(count)}
    write_captions(folder / "captions.csv", captions)


def _write_file(path: Path, pairs: Array) -> None:
    """Trajectories (n, 2, C, ny, nx) in The Well's layout."""
    with h5py.File(path, "w") as file:
        file.attrs["n_trajectories"] = len(pairs)
        for name, channel in zip(CHANNELS, range(pairs.shape[2]), strict=False):
            file[f"t0_fields/{name}"] = pairs[:, :, channel]  # (n, 2, ny, nx)
        file["dimensions/time"] = np.arange(2.0)
        for axis, cells in (("y", pairs.shape[3]), ("x", pairs.shape[4])):
            file[f"dimensions/{axis}"] = (np.arange(cells) + 0.5) / cells
        file["dimensions"].attrs["spatial_dims"] = ["y", "x"]


def main() -> None:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--train", type=int, default=64, help="pairs of a combination in training")
    parser.add_argument("--held", type=int, default=4, help="in validation and in test")
    parser.add_argument("--channels", type=int, default=3, choices=[*COLOURS])
    parser.add_argument("--cells", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    write(
        args.folder,
        train=args.train,
        held=args.held,
        channels=args.channels,
        cells=args.cells,
        seed=args.seed,
    )


if __name__ == "__main__":
    main()
