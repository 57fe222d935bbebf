"""``surrogate engine build`` and ``surrogate engine list``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surrogate import engine as engines
from surrogate.cli.output import emit_json
from surrogate.environment.engines import engines as found_engines
from surrogate.errors import SurrogateError

app = typer.Typer(
    help="Compile and list the engines that run a model's program.", no_args_is_help=True
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def build(
    name: Annotated[str, typer.Argument(help="The engine: torch.")],
    torch_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of the torch to compile against; that of this Python if absent."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the engine; libsurrogate's own if absent.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Compile even if it is up to date.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compile an engine against the torch found on this machine (about half a minute)."""
    if name != "torch":
        typer.echo(
            f"engine {name!r}: only torch is compiled here; the others come with the library",
            err=True,
        )
        raise typer.Exit(2)
    try:
        built = engines.build_torch(torch_dir=torch_dir, out=out, force=force)
    except SurrogateError as error:
        typer.echo(f"surrogate engine build {name}: {error}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        emit_json(engines.to_json(built))
    else:
        done = f"compiled in {built.seconds:.0f} s" if built.rebuilt else "up to date"
        typer.echo(f"{built.path}\n{done}, for torch {built.torch.version} in {built.torch.root}")


@app.command("list")
def list_engines(as_json: AsJson = False) -> None:
    """List the engines that libsurrogate finds, each loaded once."""
    findings = found_engines().findings
    if as_json:
        rows = [
            {"name": f.name, "works": f.found, "text": f.text, "remedy": f.remedy} for f in findings
        ]
        emit_json(rows)
    else:
        for f in findings:
            mark = "ok " if f.found else "NO "
            typer.echo(f"{mark} {f.name:8} {f.text}" + (f"  → {f.remedy}" if f.remedy else ""))
