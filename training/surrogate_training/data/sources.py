"""Data sets without a recipe: every field of some files, for the audit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from surrogate.errors import NotFoundError
from surrogate.io.frames import Frames, open_frames
from surrogate_training.config import Data, FieldSpec, PairLists
from surrogate_training.data.pairs import PairSet
from surrogate_training.magnetogram import pairlist


def sets_of(
    path: Path, *, conditions: Sequence[str] = (), mapping: Path | None = None, masked: bool = False
) -> dict[str, PairSet]:
    """The parts of a file, a folder of files, a ``pairs.csv``, or a folder of parts that ``data split`` has made.

    Parameters
    ----------
    path : Path
        Which.
    conditions : sequence of str
        Fields that are read only.
    mapping : Path, optional
        For files of another layout.
    masked : bool
        Whether NaN means missing data.

    Raises
    ------
    NotFoundError
        If there is nothing there.
    """
    if path.is_dir() and (lists := sorted(path.glob(f"*/{pairlist.NAME}"))):
        listed = {file.parent.name: pairlist.read_pairs(file) for file in lists}
    elif path.suffix == ".csv" or (path / pairlist.NAME).is_file():
        listed = {"all": pairlist.read_pairs(path)}
    else:
        files = _files(path)
        data = _data(files[0], conditions, mapping, masked=masked)
        return {"all": PairSet(tuple(files), data)}
    first = next(iter(listed.values()))[0].file1
    data = _data(first, conditions, mapping, masked=masked)
    data = data.model_copy(update={"pairs": PairLists(train="all", test="all")})
    return {part: PairSet((), data, listed=pairs) for part, pairs in listed.items()}


def _files(path: Path) -> list[Path]:
    if not path.is_dir() or path.suffix == ".zarr":
        return [path]
    found = sorted(
        p for p in path.iterdir() if p.suffix in (".h5", ".hdf5", ".nc", ".npy", ".zarr")
    )
    if not found:
        raise NotFoundError(
            f"{path} holds no trajectory (.h5, .nc, .npy, .zarr) and no {pairlist.NAME}"
        )
    return found


def _data(file: Path, conditions: Sequence[str], mapping: Path | None, *, masked: bool) -> Data:
    with open_frames(file, mapping=mapping) as stored:
        fields = [
            FieldSpec(name=name, dataset=name, condition=name.partition("[")[0] in conditions)
            for name in _components(stored)
        ]
    return Data(
        path="",
        fields=tuple(fields),
        mapping="" if mapping is None else str(mapping),
        missing="mask" if masked else "refuse",
        cached=False,
    )


def _components(stored: Frames) -> list[str]:
    """Every component of every field."""
    names = []
    for name in stored.names:
        count = stored.components(name)
        names += [name] if count == 1 else [f"{name}[{k}]" for k in range(count)]
    return names
