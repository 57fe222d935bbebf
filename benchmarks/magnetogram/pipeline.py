"""The steps from a synoptic map to bundles, each a command that a user would type; done ones are not repeated."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOLVER = ROOT / "build" / "bin" / "flux_transport"
GENERATE = ROOT / "benchmarks" / "solvers" / "flux_transport" / "generate.py"
RECIPES = ROOT / "training" / "recipes"

METHODS = ("regression", "pix2pix", "regression_unet")
"""Recipes: regression by a small net that can be tiled, pix2pix, and regression by the generator of pix2pix."""
FIRST_HARP = {2252: 900001, 2253: 900101}
"""Seed of flow and emergence → number of its first region: two runs from the same map."""
CELLS, FRAMES, HOURS = (2048, 256), 31, 4
LATITUDES = (-22.5, 22.5)
SECTORS, BANDS, SIZE = 15, 2, 128
CHANNELS = "Br,Vlon,Vlat,Vlon_mean,Vlat_mean,Source"
BUFFER = 24.3
"""Degrees of longitude between test and the rest: 128 cells, which no net looks beyond, and what moves in a jump."""

Report = Callable[[str], None]


@dataclass(frozen=True)
class Folders:
    """Where data, runs and bundles are kept."""

    data: Path
    runs: Path

    def frames(self, seed: int) -> Path:
        """The solver's maps."""
        return self.data / f"frames_{seed}.h5"

    @property
    def cubes(self) -> Path:
        """FITS cubes of all regions and times."""
        return self.data / "cubes"

    @property
    def split(self) -> Path:
        """Lists of pairs."""
        return self.data / "split"

    def run(self, method: str) -> Path:
        """A training run."""
        return self.runs / f"magnetogram_{method}"

    def bundle(self, method: str) -> Path:
        """What was exported from it."""
        return self.runs / f"magnetogram_{method}.surrogate"

    def report(self, method: str) -> Path:
        """Its evaluation."""
        return self.runs / f"magnetogram_{method}-report"


def make_data(folders: Folders, synoptic_map: Path, *, ranks: int, report: Report) -> None:
    """Maps, FITS files, cubes, pairs and their split."""
    folders.data.mkdir(parents=True, exist_ok=True)
    for seed, first in FIRST_HARP.items():
        frames = folders.frames(seed)
        options = ["--solver", SOLVER, "--out", frames, "--map", synoptic_map, "--seed", seed]
        options += ["--cells", *CELLS, "--latitudes", *LATITUDES, "--frames", FRAMES]
        options += ["--interval", HOURS, "--ranks", ranks]
        _step([sys.executable, GENERATE, *options], frames, report)
        cut = folders.data / f"cubes_{seed}.json"  # says that this run's regions are in the cubes
        if not cut.is_file():
            fits = folders.data / f"fits_{seed}"
            shutil.rmtree(fits, ignore_errors=True)
            boxes = ["--size", SIZE, "--lon-sectors", SECTORS, "--lat-bands", BANDS]
            _run(
                _data("convert", frames, fits, "--to", "sharp", *boxes, "--first-harp", first),
                report,
            )
            _run(_data("cube", fits, folders.cubes, "--channels", CHANNELS), report)
            shutil.rmtree(fits)
            cut.write_text(json.dumps({"first_harp": first}) + "\n")
    _step(_data("pair", folders.cubes, "--hours", HOURS), folders.cubes / "pairs.csv", report)
    shares = ["--by", "longitude", "--ratio", 0.8, "--validation", 0.05, "--buffer", BUFFER]
    _step(
        _data("split", folders.cubes, folders.split, *shares), folders.split / "split.json", report
    )


def make_bundle(folders: Folders, method: str, *, report: Report) -> None:
    """Train (or go on training) and export."""
    run, bundle = folders.run(method), folders.bundle(method)
    recipe = RECIPES / f"magnetogram_{method}.yaml"
    if not (run / "checkpoints" / "final.pt").is_file():
        _run(_surrogate("train", recipe, "--out", run, "--resume"), report)
    _step(_surrogate("export", run, "--out", bundle), bundle / "manifest.json", report)


def make_images(folders: Folders, method: str, region: str, *, report: Report) -> Path:
    """Predict a test region's cubes and write them as single FITS images; return their folder."""
    scratch = folders.runs / f"magnetogram_{method}-fits"
    shutil.rmtree(scratch, ignore_errors=True)
    cubes = sorted(folders.cubes.glob(f"{region}.*.fits"))[:2]
    predicted, images = scratch / "cubes", scratch / "single"
    _run(_data("predict", folders.bundle(method), *cubes, predicted), report)
    _run(
        _data("uncube", predicted, images, "--to", "single", "--bundle", folders.bundle(method)),
        report,
    )
    return images


def _data(*arguments: object) -> list[object]:
    return _surrogate("data", *arguments)


def _surrogate(*arguments: object) -> list[object]:
    return [Path(sys.executable).with_name("surrogate"), *arguments]


def _step(command: Sequence[object], product: Path, report: Report) -> None:
    """Run a command unless what it makes is there."""
    if not product.exists():
        _run(command, report)


def _run(command: Sequence[object], report: Report) -> None:
    words = [str(word) for word in command]
    report(" ".join(words))
    done = subprocess.run(words, cwd=ROOT, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{words[1]} failed with status {done.returncode}; see above")
