"""``surrogate predict``: one frame, from file to file."""

from __future__ import annotations

from collections.abc import Mapping

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
from surrogate.cli.output import OK, emit_json
from surrogate.facts import quantity_text
from surrogate.io.states import check_output, read_state, write_state
from surrogate.model import Surrogate


def predict(
    bundle: Bundle,
    source: InputFile,
    target: OutputFile,
    frame: Frame = None,
    step: Step = None,
    time: Time = None,
    seed: Seed = 0,
    member: Member = 0,
    parameter: Parameters = None,
    steps: SamplerSteps = None,
    guidance: Guidance = None,
    caption: Caption = None,
    engine: Engine = "auto",
    program: Program = None,
    device: Device = "cpu",
    threads: Threads = 0,
    json: Json = False,
) -> None:
    """Predict the state one time step later. Exit 1 if a guard refuses it."""
    values = parse_parameters(parameter)
    state = read_state(source, frame=frame)
    check_output(target, named=isinstance(state, Mapping))
    with Surrogate.open(
        bundle, engine=engine, program=program, device=device, threads=threads
    ) as model:
        result = model.predict(
            state,
            step=step,
            time=time,
            parameters=values,
            seed=seed,
            member=member,
            steps=steps,
            guidance=guidance,
            caption=caption,
        )
        write_state(target, result)
        facts, counters = model.info, model.statistics
    seconds = counters.pack_seconds + counters.program_seconds + counters.output_seconds
    if json:
        emit_json(
            {
                "status": OK,
                "output": target,
                "seconds": seconds,
                "time_step": facts.time_step,
                "info": facts,
            }
        )
        return
    print(
        f"{target}: the state {quantity_text(facts.time_step, facts.time_unit)} later, "
        f"in {seconds:.3g} s ({facts.choice})"
    )
