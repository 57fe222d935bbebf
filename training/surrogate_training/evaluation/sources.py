"""From what a user names to pairs: a list of pairs, frames in files, or the data of the recipe."""

from __future__ import annotations

from pathlib import Path

from surrogate.bundle.manifest import Manifest
from surrogate.bundle.names import GUIDANCE
from surrogate_training.config import Data, FieldSpec, ParameterSpec, Recipe
from surrogate_training.data.pairs import PairSet, open_sets
from surrogate_training.magnetogram.pairlist import NAME as LIST
from surrogate_training.magnetogram.pairlist import read_pairs


def open_part(recipe: Recipe, *, root: Path, part: str) -> PairSet:
    """A part of a recipe's data.

    Raises
    ------
    ValueError
        If there is no such part, or it is empty.
    """
    sets = open_sets(recipe.data, root=root)
    if part not in sets:
        raise ValueError(f"--part {part}: expected one of {', '.join(sets)}")
    if len(sets[part]) == 0:
        raise ValueError(f"data.split.{part} is 0: there is nothing to evaluate on")
    return sets[part]


def open_data(
    manifest: Manifest,
    recipe: Recipe | None,
    bundle: Path,
    data: Path | None,
    *,
    root: Path,
    part: str,
) -> PairSet:
    """The pairs that a bundle is evaluated on.

    Raises
    ------
    ValueError
        If no data is given and the bundle does not say by which recipe it was made, or the data holds no pairs.
    FileNotFoundError
        If `data` is not there.
    """
    if data is None:
        if recipe is None:
            raise ValueError(
                f"{bundle} does not say by which recipe it was made: name data (a pairs.csv, a folder or file of "
                "frames)"
            )
        return open_part(recipe, root=root, part=part)
    section = recipe.data if recipe is not None else data_of(manifest)
    if not data.exists():
        raise FileNotFoundError(f"{data}: no such file or folder")
    mapping = str(root / section.mapping) if section.mapping else ""
    section = section.model_copy(update={"cached": False, "mapping": mapping})
    if data.suffix == ".csv" or (data / LIST).is_file():
        return PairSet((), section, listed=read_pairs(data))
    pairs = PairSet(_files(data, section), section)
    if len(pairs) == 0:
        raise ValueError(
            f"{data}: no trajectory is longer than the jump of {section.stride} frames: there are no pairs. Of "
            "files of one frame each (magnetograms) name the pairs.csv that `surrogate data pair` makes"
        )
    return pairs


def data_of(manifest: Manifest) -> Data:
    """Where the fields of a bundle without a recipe are looked for: under their own names."""
    fields = tuple(
        FieldSpec(name=f.name, unit=f.unit, conserved=f.conserved, condition=f.prediction is None)
        for f in manifest.fields
    )
    parameters = tuple(
        ParameterSpec(name=p.name, unit=p.unit) for p in manifest.parameters if p.name != GUIDANCE
    )
    return Data(path=".", fields=fields, parameters=parameters)


def _files(data: Path, section: Data) -> tuple[Path, ...]:
    """Files of frames: the one named, or those of a folder, by the recipe's pattern if that finds any."""
    if data.is_file():
        return (data,)
    found = sorted(data.glob(section.pattern)) or sorted(
        path
        for path in data.iterdir()
        if not path.name.startswith(".") and path.suffix not in (".json", ".csv", ".log")
    )
    if not found:
        raise FileNotFoundError(f"{data} holds no {section.pattern} and no other file of frames")
    return tuple(found)
