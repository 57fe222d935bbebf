"""``surrogate demo``: the main job, timed and scored."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from surrogate import Surrogate, paths
from surrogate.cli.output import console, emit_json, table
from surrogate.demo.experiment import Case, run_cases, summarise
from surrogate.demo.picture import draw
from surrogate.demo.score import mean_error
from surrogate.demo.solver import Solver, build_solver
from surrogate.environment.provenance import provenance

BUNDLE = "mhd2d_128"


def demo(
    out: Annotated[Path, typer.Option(help="Folder for demo.json and demo.png.")] = Path("demo"),
    bundle: Annotated[str, typer.Option(help="Bundle: a shipped name or a folder.")] = BUNDLE,
    states: Annotated[
        int, typer.Option(min=1, help="Unseen initial states; 24 for a result worth recording.")
    ] = 6,
    repeats: Annotated[int, typer.Option(min=1, help="Timed repeats of each jump.")] = 7,
    ranks: Annotated[
        int,
        typer.Option(min=1, help="MPI ranks of the solver; the surrogate gets as many threads."),
    ] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Run mhd2d from t1 to t2 natively, with the surrogate in its loop and at half resolution; time and score them."""
    screen = console(stderr=as_json)
    try:
        folder = paths.find_bundle(bundle)
        with Surrogate.open(folder, verify="example") as model:
            step, choice = model.time_step, model.info.choice
        screen.print(f"bundle {folder.name}: time step {step:g}; {choice}")
        solver = Solver(build_solver(), ranks)
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            cases = run_cases(
                solver, folder, step, cases=states, repeats=repeats, folder=Path(scratch),
                done=lambda case: screen.print(_line(case)),
            )  # fmt: skip
    except (OSError, RuntimeError, ValueError) as error:
        typer.echo(f"surrogate demo: {error}", err=True)
        raise typer.Exit(2) from error
    figures = summarise(cases) | {
        "bundle": folder.name,
        "ranks": ranks,
        "repeats": repeats,
        "environment": provenance(Path.cwd()),
        "cases": [case.as_json() for case in cases],
    }
    (out / "demo.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    typical = sorted(cases, key=lambda case: mean_error(case.errors))[len(cases) // 2]
    draw(typical, step, out / "demo.png")
    screen.print(_table(figures))
    screen.print(_verdict(figures))
    screen.print(f"saved {out / 'demo.json'} and {out / 'demo.png'}")
    if as_json:
        emit_json(figures)


def _line(case: Case) -> str:
    verdict = "accepted" if case.accepted else "REJECTED, stepped natively"
    jump = f"seed {case.seed}  t {case.t1:.2f} → {case.frames[1].time:.2f}"
    return (
        f"{jump}: {case.steps} steps in {1e3 * case.solver_seconds:.1f} ms, "
        f"surrogate {1e3 * case.surrogate_seconds:.1f} ms, error {mean_error(case.errors):.3f}, {verdict}"
    )


def _table(figures: dict[str, Any]) -> Table:
    title = f"one jump on {figures['ranks']} cores, {figures['states']} unseen initial states"
    headings = ("way to t2", "ms a jump", "speed-up (range)", "error on 128²", "error on 64²")
    rows = table(*headings, title=title)
    native = figures["solver_seconds"]
    low, high = figures["speedup_range"]
    steps = f"{figures['steps_per_jump']:.0f} steps"
    rows.add_row(f"solver 128², {steps} (truth)", f"{1e3 * native:.1f}", "1", "0", "0")
    rows.add_row(
        "surrogate in its loop",
        f"{1e3 * figures['surrogate_seconds']:.1f}",
        f"{figures['speedup']:.1f} ({low:.1f}–{high:.1f})",
        f"{figures['error']:.3f}",
        f"{figures['error_on_coarse_grid']:.3f}",
    )
    coarse = figures["coarse_solver_seconds"]
    rows.add_row(
        "solver 64² from the same t1",
        f"{1e3 * coarse:.1f}",
        f"{native / coarse:.1f}",
        f"{figures['coarse_solver_error_on_fine_grid']:.3f}",
        f"{figures['coarse_solver_error_on_coarse_grid']:.3f}",
    )
    rows.add_row("persistence", "0", "", f"{figures['persistence_error']:.3f}", "")
    return rows


def _verdict(figures: dict[str, Any]) -> str:
    rival, grid = figures["coarse_solver_error"], "128²"
    own = figures["error"]
    if figures["coarse_solver_error_on_coarse_grid"] < figures["coarse_solver_error_on_fine_grid"]:
        own, grid = figures["error_on_coarse_grid"], "64²"
    names = ("surrogate", "half-resolution solver")
    closer = names[own >= rival]
    faster = names[figures["surrogate_seconds"] >= figures["coarse_solver_seconds"]]
    other = names[own < rival]
    whole = (
        f"the {closer} is closer and faster than the {other}"
        if closer == faster
        else f"the {closer} is closer, the {faster} is faster"
    )
    return "\n".join(
        [
            "error = rms over std at t2, mean of rho, vx, vy, p, Bx, By",
            f"surrogate: {figures['error']:.3f}, {figures['error'] / figures['persistence_error']:.2f} of persistence; "
            f"worst field {figures['worst_field']}, {figures['worst_field_over_persistence']:.2f} of its own; "
            f"accepted {figures['accepted']} of {figures['states']}; div B {figures['max_div_b']:.0e}",
            f"{whole} ({own:.3f} against {rival:.3f} on its better grid, {grid}; "
            f"{1e3 * figures['surrogate_seconds']:.1f} against {1e3 * figures['coarse_solver_seconds']:.1f} ms)",
            f"solver: {figures['cell_steps_per_second'] / 1e6:.1f} million cell-steps a second and core",
        ]
    )
