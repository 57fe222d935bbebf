"""Bundles called on cubes: predicted cubes, whose headers say when, from what and by what."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

import surrogate
from surrogate.bundle.manifest import FieldSpec, Manifest
from surrogate.errors import ArgumentError, FieldError, Rejected, UnitError
from surrogate.io.tai import HOURS, compact_time, format_time, utc_text
from surrogate.io.units import same_unit
from surrogate.model import Surrogate
from surrogate.paths import find_bundle
from surrogate_training.magnetogram.cube import describe_channels, plain_header
from surrogate_training.magnetogram.headers import (
    PATTERN,
    channels,
    identify,
    units,
)
from surrogate_training.magnetogram.images import (
    Header,
    Image,
    find_images,
    new_header,
    read_image,
    write_image,
)
from surrogate_training.magnetogram.masks import blank, data_weight, fill
from surrogate_training.magnetogram.pairlist import read_pairs

FROM = "PRED_T1"
"""Keyword of a predicted frame: the time that it was predicted from. T_REC is the time that it is of."""

# What SHARP headers say of the pixels at t1, of the observer, and of the disc passage: not true at t2.
_STALE = re.compile(
    r"USFLUX|MEAN(GAM|GBT|GBZ|GBH|JZD|ALP|JZH|POT|SHR)|TOTUSJ[ZH]|ABSNJZH|SAVNCPP|TOTPOT|SHRGT45|R_VALUE|GWILL|CMASK|"
    r"ERR\w+|LON(DT)?_?(MIN|MAX|FWT|FWTPOS|FWTNEG)|CRLN_OBS|CRLT_OBS|DSUN_OBS|RSUN_OBS|OBS_V[RWN]|QUALITY|QUAL_S"
)


@dataclass(frozen=True)
class Opened:
    """A bundle and what its manifest says of cubes.

    Attributes
    ----------
    path : Path
        Its folder.
    manifest : Manifest
        As read.
    hours : float
        Time from t1 to t2.
    """

    path: Path
    manifest: Manifest
    hours: float

    @classmethod
    def read(cls, bundle: str | Path, *, hours: float | None = None) -> Opened:
        """Read the manifest; `hours` replaces its time step.

        Raises
        ------
        UnitError
            If the manifest's time has no unit that can be turned into hours, and `hours` is not given.
        """
        path = find_bundle(bundle)
        manifest = Manifest.read(path / "manifest.json")
        unit = manifest.time.unit
        if hours is None and unit not in HOURS:
            raise UnitError(
                f"{path}: its time step is {manifest.time.step:g} in the unit {unit!r}; expected one of "
                f"{', '.join(HOURS)}: give --hours, or train with physics.time_unit: h"
            )
        return cls(path, manifest, manifest.time.step * HOURS[unit] if hours is None else hours)

    @property
    def label(self) -> str:
        """Name and hash, for HISTORY."""
        digest = hashlib.sha256((self.path / "manifest.json").read_bytes()).hexdigest()
        return f"bundle {self.manifest.name} sha256 {digest[:16]}"

    def channel(self, name: str, names: Sequence[str]) -> str:
        """Which of a cube's channels a field is: that of its recipe's dataset, else of its name in any case.

        Raises
        ------
        FieldError
            If it is none of them.
        """
        for wanted in (self._dataset(name), name):
            if found := re.fullmatch(r"cube\[(\d+)\]", wanted):
                if int(found[1]) < len(names):
                    return names[int(found[1])]
                continue
            for given in names:
                if given.lower() == wanted.lower():
                    return given
        raise FieldError(
            f"{self.path} reads the field {name!r}, and the cube has the channels {', '.join(names)}; make cubes with "
            "the channels of the training data"
        )

    def softening(self, name: str) -> float | None:
        """Softening of a field that is scaled as asinh(u / softening); None: linear."""
        spec = next(f for f in self.manifest.fields if f.name == name)
        scaling = spec.scaling
        return scaling.softening if scaling is not None and scaling.kind == "asinh" else None

    def filling(self, spec: FieldSpec) -> float:
        """What stands in cells without data: the recipe's fill, as in training; without a recipe the mean."""
        return float(self._of_recipe(spec.name).get("fill", spec.normalisation.mean[0]))

    def _dataset(self, name: str) -> str:
        """Where the training data kept a field."""
        return str(self._of_recipe(name).get("dataset") or name).strip("/")

    def _of_recipe(self, name: str) -> dict[str, Any]:
        """What the recipe says of a field; nothing for bundles without one."""
        fields = self.manifest.provenance.get("recipe", {}).get("data", {}).get("fields", [])
        return next((f for f in fields if f.get("name") == name), {})


@dataclass
class PredictReport:
    """Predicted cubes, and those that a guard refused with its reason."""

    cubes: list[Path] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)


def predict_cubes(
    bundle: str | Path,
    sources: Sequence[Path],
    out: Path,
    *,
    pattern: str = PATTERN,
    hours: float | None = None,
    **options: Any,
) -> PredictReport:
    """Run a bundle on cubes and write the frames at t2 as cubes of the predicted channels.

    Parameters
    ----------
    bundle : path or str
        The bundle.
    sources : sequence of Path
        Cubes at t1, folders of them, or lists ``pairs.csv`` (their first files).
    out : Path
        Folder of the predicted cubes, named by region and t2.
    pattern : str
        Of file names, where headers lack region or time.
    hours : float, optional
        Time from t1 to t2, where the manifest does not give it in a unit of time.
    **options
        Of :meth:`Surrogate.open`: device, threads, engine, guards, …

    Returns
    -------
    PredictReport
        A frame that a guard refuses is named there and not written.

    Raises
    ------
    SurrogateError
        If a cube lacks a field, has other units, or the bundle cannot be opened.
    """
    opened = Opened.read(bundle, hours=hours)
    report = PredictReport()
    with Surrogate.open(opened.path, **options) as model:
        for path in _cubes(sources):
            image = read_image(path)
            try:
                frame = _predict(model, image, opened)
            except Rejected as refused:
                report.rejected[str(path)] = refused.reason
                continue
            header = image.header
            identity = identify(header, path, pattern=pattern)
            later = predicted_header(header, path, opened.hours, by=opened.label, pattern=pattern)
            names = list(frame)
            found = dict(zip(channels(header, path), units(header, path), strict=True))
            describe_channels(later, names, [found[n] for n in names], [path.name] * len(names))
            target = (
                out / f"{identity.region}.{compact_time(identity.time + _step(opened.hours))}.fits"
            )
            write_image(target, np.stack(list(frame.values())), later)  # (P, ny, nx)
            report.cubes.append(target)
    return report


def predicted_header(
    header: Header, path: Path, hours: float, *, by: str, pattern: str = PATTERN
) -> Header:
    """The header of a frame `hours` later: WCS as before, times moved, what no longer holds left out."""
    before = identify(header, path, pattern=pattern).time
    after = before + _step(hours)
    kept = [c for c in plain_header(header).cards if not _STALE.fullmatch(c.keyword)]
    later = new_header(kept)
    later["T_REC"] = (format_time(after), "time of the predicted frame, TAI")
    if "T_OBS" in header:
        later["T_OBS"] = format_time(after)
    if "DATE-OBS" in header:
        later["DATE-OBS"] = (utc_text(after), "UTC")
    later[FROM] = (format_time(before), "time that it was predicted from")
    later.add_history(f"surrogate {surrogate.__version__}: predicted {hours:g} h ahead")
    later.add_history(f"by {by}")
    later.add_history(f"from {path.name}")
    return later


def _step(hours: float) -> timedelta:
    return timedelta(seconds=round(hours * 3600, 3))


def _cubes(sources: Sequence[Path]) -> list[Path]:
    lists = [s for s in sources if s.suffix == ".csv"]
    listed = [pair.file1 for path in lists for pair in read_pairs(path)]
    others = [s for s in sources if s not in lists]
    return list(dict.fromkeys(listed + (find_images(others) if others else [])))


def _predict(model: Surrogate, image: Image, opened: Opened) -> dict[str, Any]:
    """The predicted channels, each (ny, nx), NaN where the cube has none."""
    names = channels(image.header, image.path)
    have = dict(zip(names, units(image.header, image.path), strict=True))
    places = {f.name: opened.channel(f.name, names) for f in opened.manifest.fields}
    for spec in opened.manifest.fields:
        unit = have[places[spec.name]]
        if not same_unit(spec.unit, unit):
            raise UnitError(
                f"{image.path}: channel {places[spec.name]} in {unit}, but the bundle reads {spec.name} in {spec.unit}"
            )
    read = [names.index(places[f.name]) for f in opened.manifest.fields]
    u = image.data[read]  # (C, ny, nx)
    weight = data_weight(u)
    if not weight.any():
        raise ArgumentError(
            f"{image.path}: holds no cell with data in all channels that the bundle reads"
        )
    values = np.array([opened.filling(f) for f in opened.manifest.fields])
    frame = model.predict(fill(u, values))
    return {
        places[f.name]: blank(frame[k], weight)[0]
        for k, f in enumerate(opened.manifest.fields)
        if f.prediction is not None
    }
