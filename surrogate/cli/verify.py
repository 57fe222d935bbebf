"""``surrogate verify``: whether a bundle is whole and computes here what it computed at export."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from surrogate.cli.options import Bundle, Device, Engine, Json, Program
from surrogate.cli.output import OK, console, emit_json, failure, table
from surrogate.facts import quantity_text
from surrogate.replay import Replay, replay_calls
from surrogate.verification import verify_bundle

_MARKS = {True: "passed", False: "FAILED", None: "skipped"}


def verify(
    bundle: Bundle,
    engine: Engine = "auto",
    program: Program = None,
    device: Device = "cpu",
    replay: Annotated[
        Path | None,
        typer.Option(
            help="A recording made with record_calls: run its inputs through the reference instead."
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(min=0, help="Allowed difference of --replay, in units of each field's scale."),
    ] = None,
    json: Json = False,
) -> None:
    """Check every file's hash, replay the example, compare with the float64 reference. Exit 1 if a check fails."""
    if replay is not None:
        _show_replay(replay_calls(bundle, replay, tolerance=tolerance), json=json)
        return
    checks = verify_bundle(bundle, engine=engine, program=program, device=device)
    passed = all(check.passed is not False for check in checks)
    if json:
        wrong = next((check for check in checks if check.passed is False), None)
        outcome = {"status": OK} if wrong is None else failure("FAILED", wrong.name, wrong.text)
        emit_json({**outcome, "passed": passed, "checks": checks})
    else:
        lines = table("check", "result", "")
        for check in checks:
            lines.add_row(check.name, _MARKS[check.passed], check.text)
        console().print(lines)
    if not passed:
        raise typer.Exit(1)


def _show_replay(result: Replay, *, json: bool) -> None:
    if json:
        outcome = (
            {"status": OK} if result.passed else failure("FAILED", "replay", _what_failed(result))
        )
        emit_json({**outcome, "passed": result.passed, **asdict(result)})
    else:
        lines = table(
            "field", "largest difference", "of the largest increment", "of its scale", "in call"
        )
        for entry in result.fields:
            lines.add_row(
                entry.name,
                quantity_text(f"{entry.absolute:.3g}", entry.unit),
                f"{entry.relative:.3g}",
                f"{entry.scaled:.3g}",
                str(entry.call),
            )
        if result.fields:
            console().print(lines)
        if result.problem is not None:
            print(result.problem)
        allowed = f"allowed {result.tolerance:.3g} of a field's scale"
        print(f"{result.calls} calls replayed: {_MARKS[result.passed]} ({allowed})")
    if not result.passed:
        raise typer.Exit(1)


def _what_failed(result: Replay) -> str:
    if result.problem is not None:
        return result.problem
    worst = max(result.fields, key=lambda entry: entry.scaled)
    return (
        f"{worst.name} differs by {worst.scaled:.3g} of its scale in call {worst.call}, "
        f"allowed {result.tolerance:.3g}"
    )
