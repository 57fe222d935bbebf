"""``surrogate data audit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surrogate_training.cli.data.options import Mapping, failures, show
from surrogate_training.cli.options import Json, Root

if TYPE_CHECKING:
    from surrogate_training.data.audit import Audit, Limits

_SIGNS = {"ok": "ok", "note": "note", "fail": "FAIL"}


def audit(
    source: Annotated[
        Path,
        typer.Argument(
            help="A recipe (YAML); or data: a file, a folder of trajectories, a pairs.csv, what data split made."
        ),
    ],
    bundle: Annotated[
        str | None, typer.Option(help="Take the receptive field from this bundle.")
    ] = None,
    near: Annotated[
        float, typer.Option(help="Initial states nearer than this share of the std are duplicates.")
    ] = 1e-2,
    persistence: Annotated[
        float, typer.Option(help="Persistence with an error below this share of the std fails.")
    ] = 1e-2,
    speed: Annotated[
        float,
        typer.Option(
            help="Fastest speed of information, in lengths per time unit; 0: the recipe's, or the flow's."
        ),
    ] = 0.0,
    conditions: Annotated[
        str, typer.Option(help="Of data without a recipe: fields that are not predicted.")
    ] = "",
    mask: Annotated[
        bool, typer.Option("--mask", help="Of data without a recipe: NaN means missing.")
    ] = False,
    mapping: Mapping = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Override of a recipe: section.key=value.")
    ] = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Judge a data set before a model is trained on it; exit 1 if a check fails."""
    with failures(as_json):
        from surrogate_training.data.audit import Limits

        limits = Limits(near, persistence)
        if source.suffix in (".yaml", ".yml"):
            found = _recipe(source, overrides or [], bundle, root, speed, limits)
        else:
            found = _data(source, conditions, mapping, bundle, speed, limits, masked=mask)
        if as_json:
            show({"passed": found.passed, **vars(found)})
        else:
            _print(source, found)
    if not found.passed:
        raise typer.Exit(1)


def _recipe(
    source: Path,
    overrides: list[str],
    bundle: str | None,
    root: Path | None,
    speed: float,
    limits: Limits,
) -> Audit:
    from surrogate_training.data import audit, pairs, reach
    from surrogate_training.recipe import load_recipe
    from surrogate_training.repository import find_root

    recipe = load_recipe(source, overrides=tuple(overrides))
    data = recipe.data.model_copy(update={"cached": False})
    sets = pairs.parts(data, root=root or find_root(source.parent))
    return audit.audit(
        {part: found for part, found in sets.items() if found.runs},
        limits=limits,
        reach=reach.Reach.of_bundle(bundle)
        if bundle
        else reach.Reach.of_recipe(recipe, sets["train"].runs[0].spacing),
        speed=speed or recipe.evaluation.information_speed,
        units=(recipe.physics.length_unit, recipe.physics.time_unit),
    )


def _data(
    source: Path,
    conditions: str,
    mapping: Path | None,
    bundle: str | None,
    speed: float,
    limits: Limits,
    **options: Any,
) -> Audit:
    from surrogate_training.data import audit, reach, sources

    names = [name.strip() for name in conditions.split(",") if name.strip()]
    sets = sources.sets_of(source, conditions=names, mapping=mapping, **options)
    sees = reach.Reach.of_bundle(bundle) if bundle else None
    return audit.audit(sets, limits=limits, reach=sees, speed=speed)


def _print(source: Path, found: Audit) -> None:
    from surrogate.cli.output import console, table

    lines = table("", "check", "found", "what to do")
    for finding in found.findings:
        lines.add_row(_SIGNS[finding.verdict], finding.check, finding.text, finding.advice)
    out = console()
    out.print(lines)
    failed = sum(finding.verdict == "fail" for finding in found.findings)
    out.print(f"{source}: {f'{failed} checks fail' if failed else 'fit to train on'}")
