"""``surrogate evaluate``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from surrogate.cli.output import console, table
from surrogate_training.cli.options import Json, Root, fail


def evaluate(
    model: Annotated[Path, typer.Argument(help="Bundle NAME.surrogate, or run folder.")],
    data: Annotated[
        Path | None,
        typer.Argument(
            help="A pairs.csv or its folder, or files of frames; default: the test part of the recipe's data."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the report; default: NAME-report here, with --json none."),
    ] = None,
    part: Annotated[
        str, typer.Option(help="Of the recipe's data: train, validation or test.")
    ] = "test",
    pairs: Annotated[int, typer.Option(min=0, help="So many, spread over the data; 0: all.")] = 0,
    members: Annotated[
        int | None, typer.Option(min=1, help="Of a stochastic model; default: 8.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1, help="Evaluations of a generative model's net a frame; default: its preset."
        ),
    ] = None,
    rollout: Annotated[
        int | None,
        typer.Option(min=0, help="Jumps of a rollout; default: as many as the data has; 0: none."),
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="Run folder of a bundle: training curves and cost.")
    ] = None,
    data_seconds: Annotated[
        float | None, typer.Option(min=0, help="Cost of the training data, for the ledger.")
    ] = None,
    solver_seconds: Annotated[
        float | None, typer.Option(min=0, help="Cost of a jump of the solver, for the ledger.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="PNG of the worst pair: t1 | t2 | predicted | error.")
    ] = None,
    card: Annotated[
        bool, typer.Option("--card", help="Write these scores into the bundle and its card.")
    ] = False,
    as_json: Json = False,
    root: Root = None,
) -> None:
    """Score a model beside persistence, linear extrapolation, the training mean and the coarse solver."""
    from surrogate_training.evaluation.evaluate import Options
    from surrogate_training.report.evaluation import Evaluation, evaluate_subject
    from surrogate_training.text.evaluation import clip_run, evaluate_retrieval

    options = Options(pairs=pairs, members=members, rollout=rollout, steps=steps)
    try:
        if (trained := clip_run(model)) is not None:
            scores = evaluate_retrieval(trained, root=root or trained.root(), part=part)
            typer.echo(json.dumps(scores, indent=2))
            return
        with Progress(
            console=console(stderr=True), transient=True, disable=not sys.stderr.isatty()
        ) as bar:
            task = bar.add_task("pairs", total=None)
            found: Evaluation = evaluate_subject(
                model,
                data,
                run=run,
                part=part,
                root=root,
                options=options,
                data_seconds=data_seconds,
                solver_seconds=solver_seconds,
                done=lambda count, total: bar.update(task, completed=count, total=total),
            )
        if out is not None or not as_json:
            folder = out or Path(f"{found.result.system.name}-report")
            page = found.write(folder)
        if picture is not None:
            found.draw(picture)
        if card:
            found.write_card()
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        fail(error)
    if as_json:
        typer.echo(json.dumps(found.summary, indent=2))
    else:
        _print(found.summary)
        typer.echo(f"report: {page}")


def _print(summary: dict[str, Any]) -> None:
    """The means, the best of each row marked, and what stands beside them."""
    from surrogate_training.report.contents import notes, verdict
    from surrogate_training.report.tables import overall_table

    scores = overall_table(summary)
    rows = table(*scores.head)
    for r, cells in enumerate(scores.rows):
        shown = (f"[bold]{c} *[/]" if (r, k) in scores.best else c for k, c in enumerate(cells))
        rows.add_row(*shown)
    out = console()
    out.print(rows)
    out.print(f"{scores.note} * nearest to a perfect prediction.")
    out.print(verdict(summary))
    out.print(notes(summary))
