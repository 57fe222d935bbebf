"""From any readable file to The Well's layout or to ``.npy``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from surrogate.errors import ArgumentError
from surrogate.io.fits import SUFFIXES as FITS
from surrogate.io.frames import Frames, open_frames
from surrogate.io.hdf5 import SUFFIXES as HDF5
from surrogate.io.layout import Layout, load_layout
from surrogate.io.netcdf import SUFFIXES as NETCDF
from surrogate.io.well import Joined, Opener, join, pieces, write_well
from surrogate.whole import written_whole

Target = Literal["well", "npy"]
SUFFIXES: dict[Target, str] = {"well": ".h5", "npy": ".npy"}

# in this order, so that of .fits.gz both are cut
_ENDINGS = (".gz", ".fz", *HDF5, *FITS, *NETCDF, ".npy", ".zarr")


def convert(
    sources: Sequence[Path],
    out: Path,
    *,
    to: Target | None = None,
    fields: Sequence[str] = (),
    dtype: str | None = None,
    mapping: Path | None = None,
) -> list[Path]:
    """Convert files: to one file, in which their frames follow one another in time, or each to one in a folder.

    Parameters
    ----------
    sources : sequence of Path
        What :func:`surrogate.io.frames.open_frames` opens.
    out : Path
        A file, or a folder (one that exists, or a name without suffix).
    to : {"well", "npy"}, optional
        Default: by the suffix of `out`, else The Well's layout.
    fields : sequence of str
        Which ones; empty: all.
    dtype : str, optional
        Default: as stored.
    mapping : Path, optional
        For files of another layout.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ArgumentError
        If the target is of no known kind, or would replace a source.
    SurrogateError
        If a file cannot be read, or files that are joined do not fit together.
    """
    layout = None if mapping is None else load_layout(mapping)
    single = bool(out.suffix) and not out.is_dir()
    kind = to or next((k for k, suffix in SUFFIXES.items() if out.suffix == suffix), None)
    if kind is None and single and out.suffix not in HDF5:
        raise ArgumentError(f"{out}: unknown kind of file; expected .h5 or .npy, or a folder")
    kind = kind or "well"
    if single:
        groups = {out: list(sources)}
    else:
        groups = {out / f"{_stem(source)}{SUFFIXES[kind]}": [source] for source in sources}
        if len(groups) < len(sources):
            raise ArgumentError("two inputs have one name: convert them to folders of their own")
        out.mkdir(parents=True, exist_ok=True)
    for target, group in groups.items():
        if target.resolve() in [source.resolve() for source in group]:
            raise ArgumentError(f"{target} is an input; write elsewhere")
        joined = join([_opener(source, layout) for source in group], fields)
        if kind == "well":
            write_well(target, joined, fields=fields, dtype=dtype)
        else:
            _write_npy(target, joined, fields, dtype)
    return list(groups)


def _opener(source: Path, layout: Layout | None) -> Opener:
    def opened() -> Frames:
        return open_frames(source, mapping=layout)

    return opened


def _stem(source: Path) -> str:
    """A name without the endings of its format; ``region.0900`` keeps its number."""
    name = source.name
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return name


def _write_npy(target: Path, joined: Joined, fields: Sequence[str], dtype: str | None) -> None:
    """All fields as one array (frames, C, ny, nx)."""
    with joined.openers[0]() as first:
        if first.trajectories > 1:
            raise ArgumentError(
                f"{first.path} holds {first.trajectories} trajectories; an .npy file holds one: convert to .h5"
            )
        names = tuple(fields) or first.names
        widths = [first.components(name) for name in names]
        stored = np.result_type(*(first.dtype(name) for name in names))
        shape = (joined.times.shape[1], sum(widths), *first.shape)
    with written_whole(target) as partial:
        kind = np.dtype(dtype) if dtype else stored
        array = np.lib.format.open_memmap(partial, mode="w+", dtype=kind, shape=shape)
        start = 0
        for opener, frames in zip(joined.openers, joined.frames, strict=True):
            with opener() as file:
                for name, channel in zip(names, np.cumsum([0, *widths[:-1]]), strict=True):
                    for _, where, values in pieces(file, name):
                        part = values if values.ndim == len(shape) else values[:, None]
                        rows = slice(start + where.start, start + where.stop)
                        array[rows, channel : channel + part.shape[1]] = part
            start += frames
        array.flush()
        del array
