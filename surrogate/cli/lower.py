"""``surrogate lower``: a program for this machine, checked against the reference and timed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from surrogate.cli.options import Bundle, Json
from surrogate.cli.output import console, emit_json, fail, failure, table
from surrogate.errors import ArgumentError
from surrogate.lower.lowering import GateError, Lowered, lower_all
from surrogate.lower.overlay import bundle_hash, overlay_folder, read_entries
from surrogate.paths import find_bundle


def lower(
    bundle: Bundle,
    engine: Annotated[str, typer.Option(help="aoti, torchscript, tensorrt.")] = "aoti",
    device: Annotated[str, typer.Option(help="cpu, cuda (a GPU of this machine).")] = "cpu",
    precision: Annotated[str, typer.Option(help="fp32, bf16, fp16.")] = "fp32",
    out: Annotated[
        Path | None, typer.Option(help="The overlay's folder; the user's if absent.")
    ] = None,
    threads: Annotated[
        str | None,
        typer.Option(help="Threads to time at, for instance 1,8; 1 and all cores if absent."),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(help="Grid to time, for instance 256x256; the example's if absent."),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1, help="Of a generative model: lower its program of these; all of them if absent."
        ),
    ] = None,
    listing: Annotated[
        bool, typer.Option("--list", help="Only list what the overlay holds of this bundle.")
    ] = False,
    json: Json = False,
) -> None:
    """Compile a bundle's program for this machine; refuse it (exit 1) if it differs too much from the reference."""
    if listing:
        _list(bundle, out, json)
        return
    try:
        made = lower_all(
            bundle,
            steps=steps,
            engine=engine,
            device=device,
            precision=precision,
            out=out,
            threads=_numbers("--threads", threads, ","),
            shape=_numbers("--shape", shape, "x"),
        )
    except GateError as refused:
        if json:
            emit_json(failure("FAILED", "gate", str(refused)))
            raise typer.Exit(1) from None
        fail(str(refused), code=1)
    if json:
        facts = [{**vars(entry), "verdict": vars(entry.verdict)} for entry in made]
        emit_json({"written": True, **(facts[0] if len(facts) == 1 else {"programs": facts})})
        return
    for entry in made:
        _print(entry)


def _numbers(option: str, text: str | None, separator: str) -> list[int] | None:
    if text is None:
        return None
    try:
        numbers = [int(part) for part in text.split(separator)]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise ArgumentError(
            f"lower: {option} {text!r}; expected whole numbers with {separator!r} between"
        )
    return numbers


def _print(made: Lowered) -> None:
    out = console()
    lines = table("field", "error", "limit")
    for name, limit in made.verdict.limit.items():
        lines.add_row(name, f"{made.verdict.error[name]:.2e}", f"{limit:.2e}")
    out.print(lines)
    times = table("program", "threads", "ms", "quartiles")
    for name, rows in {made.name: made.timings, **made.bundle_timings}.items():
        for row in rows:
            low, high = row["spread"]
            times.add_row(
                name, str(row["threads"]), f"{row['milliseconds']:.2f}", f"{low:.2f} … {high:.2f}"
            )
    out.print(times)
    if made.kept_in_fp32:
        out.print(
            f"{made.kept_in_fp32} of {made.convolutions} convolutions stay in fp32, or the gate would not pass"
        )
    out.print(f"wrote {made.folder}")


def _list(bundle: str, out: Path | None, json: bool) -> None:
    overlay = overlay_folder(out)
    entries = read_entries(overlay, bundle_hash(find_bundle(bundle)))
    if json:
        emit_json({"overlay": overlay, "programs": entries})
        return
    lines = table("program", "made with", "cpu", "error / limit", "ms (threads)")
    for entry in entries:
        lines.add_row(*_row(entry))
    console().print(lines if entries else f"No program of this bundle in {overlay}.")


def _row(entry: dict[str, Any]) -> list[str]:
    gate = entry["gate"]
    worst = max(gate["error"][name] / limit for name, limit in gate["limit"].items())
    times = ", ".join(f"{row['milliseconds']:.2f} ({row['threads']})" for row in entry["timings"])
    program = entry["program"]
    return [program["name"], program["made_with"], entry["host"]["cpu"], f"{worst:.2f}", times]
