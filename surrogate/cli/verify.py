"""``surrogate verify``: whether a bundle is whole and computes here what it computed at export."""

from __future__ import annotations

import typer

from surrogate.cli.options import Bundle, Device, Engine, Json, Program
from surrogate.cli.output import OK, console, emit_json, failure, table
from surrogate.verification import verify_bundle

_MARKS = {True: "passed", False: "FAILED", None: "skipped"}


def verify(
    bundle: Bundle,
    engine: Engine = "auto",
    program: Program = None,
    device: Device = "cpu",
    json: Json = False,
) -> None:
    """Check every file's hash, replay the example, compare with the float64 reference. Exit 1 if a check fails."""
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
