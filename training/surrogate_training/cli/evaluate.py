"""``surrogate evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from surrogate.cli.output import console, table
from surrogate_training.cli.options import Json, Root, fail

METHODS = ("model", "persistence", "linear_extrapolation", "mean", "coarse")


def evaluate(
    model: Annotated[Path, typer.Argument(help="Bundle NAME.surrogate, or run folder.")],
    data: Annotated[
        Path | None,
        typer.Argument(
            help="A pairs.csv, or a folder or file of frames; default: the test part of the recipe's data."
        ),
    ] = None,
    part: Annotated[
        str, typer.Option(help="Of the recipe's data: train, validation or test.")
    ] = "test",
    pairs: Annotated[int, typer.Option(min=0, help="So many, spread over the data; 0: all.")] = 0,
    members: Annotated[
        int | None, typer.Option(min=1, help="Of a stochastic model; default: 8.")
    ] = None,
    rollout: Annotated[
        int | None,
        typer.Option(min=0, help="Jumps of a rollout; default: as many as the data has."),
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="PNG: t1 | t2 | predicted | error.")] = None,
    as_json: Json = False,
    root: Root = None,
) -> None:
    """Score a model beside persistence, linear extrapolation, the training mean and the coarse solver."""
    from surrogate_training.evaluation.evaluate import Options, evaluate_bundle, evaluate_run
    from surrogate_training.evaluation.summary import summarise
    from surrogate_training.repository import find_root
    from surrogate_training.runfolder import open_run, set_threads

    options = Options(pairs=pairs, members=members, rollout=rollout)
    try:
        if (model / "manifest.json").is_file():
            result = evaluate_bundle(
                model, data, root=root or find_root(Path.cwd()), part=part, options=options
            )
            summary = summarise(result)
        else:
            folder = open_run(model)
            set_threads(folder.recipe().run.threads)
            summary = evaluate_run(folder, root=root or folder.root(), part=part)
        if picture is not None:
            from surrogate_training.picture import draw_run

            draw_run(folder, picture, root=root or folder.root(), part=part)
    except (ValueError, OSError, RuntimeError) as error:
        fail(error)
    if as_json:
        typer.echo(json.dumps(summary, indent=2))
    else:
        _print(summary)


_SHOWN = (
    "rmse",
    "relative_l2",
    "vrmse",
    "mae",
    "max_error",
    "correlation",
    "ssim",
    "spectrum_error",
)
_LARGER_IS_BETTER = ("correlation", "ssim")


def _print(summary: dict[str, Any]) -> None:
    """A table of the means, the best of each row marked, and what stands beside it."""
    methods = [name for name in METHODS if name in summary]
    rows = table("", *(name.replace("_", " ") for name in methods))
    for metric in _SHOWN:
        values = [summary[method][metric] for method in methods]
        known = [v for v in values if v is not None]
        best = (max if metric in _LARGER_IS_BETTER else min)(known) if known else None
        rows.add_row(metric, *(_number(v, best=v is not None and v == best) for v in values))
    out = console()
    out.print(rows)
    worst = summary["extremes"]["worst"]
    out.print(
        f"{summary['pairs']} pairs of {summary['trajectories']} trajectories; unit of rmse, mae, max_error: "
        f"{summary['unit']}"
    )
    out.print(
        f"worst pair: {worst['file']}, frame {worst['frame']}, error {worst['error']:.4g} of the truth's deviation"
    )
    refused = summary["refused"]
    if refused["pairs"]:
        reasons = ", ".join(f"{name} {count}" for name, count in refused["by"].items())
        out.print(f"guards would refuse {refused['pairs']} pairs ({reasons}); they are scored too")
    for note in summary["notes"]:
        out.print(note)


def _number(value: float | None, *, best: bool) -> str:
    if value is None:
        return "–"
    return f"[bold]{value:.4g} *[/]" if best else f"{value:.4g}"
