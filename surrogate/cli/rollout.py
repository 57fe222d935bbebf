"""``surrogate rollout``: many frames, each from the one before, from file to file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from surrogate.cli.options import (
    Bundle,
    Caption,
    Device,
    Engine,
    Frame,
    Guidance,
    InputFile,
    Json,
    Member,
    OutputFile,
    Parameters,
    Program,
    SamplerSteps,
    Seed,
    Step,
    Threads,
    Time,
    parse_parameters,
)
from surrogate.cli.output import OK, REJECTED, emit_json, fail, failure
from surrogate.io.states import check_output, read_state, write_state
from surrogate.model import Surrogate


def rollout(
    bundle: Bundle,
    source: InputFile,
    target: OutputFile,
    frame: Frame = None,
    steps: Annotated[int, typer.Option(min=1, help="Number of frames.")] = 1,
    step: Step = None,
    time: Time = None,
    seed: Seed = 0,
    member: Member = 0,
    parameter: Parameters = None,
    sampler_steps: SamplerSteps = None,
    guidance: Guidance = None,
    caption: Caption = None,
    engine: Engine = "auto",
    program: Program = None,
    device: Device = "cpu",
    threads: Threads = 0,
    json: Json = False,
) -> None:
    """Predict several frames; the first axis of the result counts them.

    If a guard refuses one, the frames before it are written (the target is left alone if there are none) and the exit
    code is 1.
    """
    values = parse_parameters(parameter)
    state = read_state(source, frame=frame)
    check_output(target, named=isinstance(state, Mapping))
    with Surrogate.open(
        bundle, engine=engine, program=program, device=device, threads=threads
    ) as model:
        frames = model.rollout(
            state,
            steps,
            on_reject="stop",
            step=step,
            time=time,
            parameters=values,
            seed=seed,
            member=member,
            sampler_steps=sampler_steps,
            guidance=guidance,
            caption=caption,
        )
        made, refused = model.statistics.ok, model.last_rejection
    if made:
        write_state(target, frames)
    if json:
        outcome = {"status": OK}
        if refused is not None:
            outcome = failure(REJECTED, refused.reason, _why(refused))
        written = target if made else None
        emit_json({**outcome, "output": written, "frames": made, "rejection": refused})
    elif made:
        print(f"{target}: {made} frames")
    if refused is not None:
        fail(f"rejected after {made} frames: {_why(refused)}", code=1)


def _why(refused: Any) -> str:
    where = (
        f" in field {refused.field!r} at cell {refused.cell}" if refused.field is not None else ""
    )
    return f"{refused.reason}{where}, value {refused.value:g}"
