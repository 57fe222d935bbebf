"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surrogate.cli.output import note_json

Bundle = Annotated[
    str, typer.Argument(help="A bundle's folder, or the name of one that comes with the package.")
]
InputFile = Annotated[
    Path, typer.Argument(help="State at t1: .npy (C, ny, nx), or .npz, .h5 with an array a field.")
]
Frame = Annotated[
    int | None,
    typer.Option(help="Which frame of a recording or an mhd2d file; -1: the last."),
]
OutputFile = Annotated[
    Path, typer.Argument(help="Where the result is written; the same kind of file.")
]
Json = Annotated[
    bool,
    typer.Option("--json", callback=note_json, help="Print one JSON document, of failures too."),
]
Engine = Annotated[
    str,
    typer.Option(
        help="torch, stub, python (runs the bundle's Python code), or auto: the first program that can run, "
        "never Python code."
    ),
]
Program = Annotated[str | None, typer.Option(help="A program's name in the manifest.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1.")]
Threads = Annotated[int, typer.Option(min=0, help="CPU threads; 0: what the engine finds.")]
Step = Annotated[int | None, typer.Option(help="Number of the step; stochastic models need it.")]
Time = Annotated[float | None, typer.Option(help="t1, in the manifest's time unit.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the random numbers of stochastic models.")]
Member = Annotated[int, typer.Option(min=0, help="Ensemble member.")]
SamplerSteps = Annotated[
    int | None,
    typer.Option(
        min=1, help="Evaluations of a generative model's net; default: the bundle's preset."
    ),
]
Guidance = Annotated[float | None, typer.Option(help="Weight of a generative model's condition.")]
Caption = Annotated[
    str | None, typer.Option(help="What the frame should show, for a model that takes captions.")
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--parameter", "-p", help="A scalar parameter, NAME=VALUE; may be repeated."),
]


def parse_parameters(given: list[str] | None) -> dict[str, float] | None:
    """``["mu=0.1"]`` as ``{"mu": 0.1}``; None where there are none."""
    if not given:
        return None
    values = {}
    for text in given:
        name, sign, number = text.partition("=")
        try:
            values[name] = float(number)
        except ValueError:
            sign = ""
        if not sign:
            raise typer.BadParameter(f"{text!r}; expected NAME=VALUE, for instance mu=0.1")
    return values
