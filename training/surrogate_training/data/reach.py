"""How far information travels in a jump, against how far a model sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from surrogate.bundle.folder import check_bundle
from surrogate.io.units import same_unit
from surrogate.paths import find_bundle
from surrogate_training.config import Recipe
from surrogate_training.data.pairs import PairSet
from surrogate_training.data.statistics import FieldStatistics, ParameterStatistics, Statistics
from surrogate_training.extent import model_locality
from surrogate_training.methods.registry import make_network
from surrogate_training.models.fields import FieldModel

# meters and seconds of what speeds, lengths and times are measured in
_LENGTHS = {"cm": 1e-2, "m": 1.0, "km": 1e3, "Mm": 1e6}
_TIMES = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Reach:
    """Cells (y, x) to each side that an output may depend on; None: the whole frame."""

    cells: tuple[int, int] | None

    @classmethod
    def of_recipe(cls, recipe: Recipe, spacing: tuple[float, float]) -> Reach:
        """Measured on the recipe's model, untrained; pix2pix's U-Net and a transformer see the whole frame.

        So does a network that predicts none, the encoders of ``clip``.
        """
        model = make_network(recipe, _unit_statistics(recipe, spacing)).eval()
        if not isinstance(model, FieldModel):
            return cls(None)
        local = model_locality(model, recipe)
        if local.reduces_over_space:
            return cls(None)
        ny, nx = local.receptive_field
        return cls((ny, nx))

    @classmethod
    def of_bundle(cls, bundle: str) -> Reach:
        """What a bundle's manifest says."""
        local = check_bundle(find_bundle(bundle)).locality
        if local.reduces_over_space:
            return cls(None)
        ny, nx = local.receptive_field
        return cls((ny, nx))


def _unit_statistics(recipe: Recipe, spacing: tuple[float, float]) -> Statistics:
    """Of fields of mean 0 and deviation 1: what a net sees depends on no scale."""
    plain = FieldStatistics(0, 1, 1, 1, 1, -1, 1, -1, 1, 0, 1, 1, 1)
    return Statistics(
        dict.fromkeys(recipe.names, plain),
        (0, 0),
        spacing,
        1.0,
        {},
        1,
        {p.name: ParameterStatistics(1, 1, 0, 2, 1) for p in recipe.data.parameters},
    )


def travelled(
    sets: Mapping[str, PairSet],
    fastest: float,
    reach: Reach | None,
    *,
    speed: float,
    units: tuple[str, str],
) -> tuple[str, Literal["ok", "note", "fail"], str, str]:
    """Compare; `fastest` is the largest length of a vector field, in its unit."""
    check = "receptive field"
    run = next((run for pairs in sets.values() for run in pairs.runs), None)
    jump = max((pair.jump for pairs in sets.values() for pair in pairs.index), default=0.0)
    if run is None or jump == 0:
        return check, "note", "no pair", ""
    if speed > 0:
        how = f"information at a speed of {speed:g}"
    elif fastest > 0:
        factor = _factor(next(iter(sets.values())), units)
        if factor is None:
            return (
                check,
                "note",
                f"the flow reaches {fastest:g}, in a unit that does not fit lengths in {units[0]} and times in "
                f"{units[1]}",
                "give evaluation.information_speed, in lengths per time unit",
            )
        speed, how = fastest * factor, f"the flow, {fastest:g} at its fastest,"
    else:
        return (
            check,
            "note",
            "unknown how far information travels in a jump",
            "give evaluation.information_speed, or name the flow in data.augment.vectors",
        )
    distance = tuple(speed * jump / step for step in run.spacing)
    text = f"{how} crosses {distance[0]:.3g} × {distance[1]:.3g} cells in a jump of {jump:g}"
    if reach is None:
        return check, "note", text, "compare it with the model's: audit a recipe, or give --bundle"
    if reach.cells is None:
        return check, "ok", f"{text}; the model sees the whole frame", ""
    text += f"; the model sees {reach.cells[0]} × {reach.cells[1]} cells to each side"
    if all(np.asarray(reach.cells) >= distance):
        return check, "ok", text, ""
    return check, "fail", text, "take a shorter jump, or a model with more levels (model.widths)"


def _factor(pairs: PairSet, units: tuple[str, str]) -> float | None:
    """What turns the vector fields' unit into lengths per time unit; None: not known."""
    names = {name for pair in pairs.data.augment.vectors for name in pair}
    stated = [f.unit for f in pairs.data.fields if f.name in names]
    stored = [
        u for f, u in zip(pairs.data.fields, pairs.runs[0].units, strict=True) if f.name in names
    ]
    unit = next((u for u in (*stated, *stored) if u != "1"), "1")
    time = next((u for u in (units[1], pairs.runs[0].time_unit) if u != "1"), "1")
    if same_unit(unit, f"{units[0]}/{time}"):
        return 1.0
    above, _, below = unit.partition("/")
    known = above in _LENGTHS and below in _TIMES
    if known and units[0] in _LENGTHS and time in _TIMES:
        return _LENGTHS[above] / _TIMES[below] * _TIMES[time] / _LENGTHS[units[0]]
    # units of their own (v0, l0 / v0) are taken to fit; those of the real world are not
    return None if known or time in _TIMES else 1.0
