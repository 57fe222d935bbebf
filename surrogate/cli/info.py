"""``surrogate info``: what a bundle is, or where the installed parts lie."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from surrogate import paths
from surrogate.bundle.folder import MANIFEST
from surrogate.bundle.guards import Bounds
from surrogate.bundle.manifest import Manifest
from surrogate.bundle.sampler import Sampler
from surrogate.cli.options import Json
from surrogate.cli.output import console, emit_json, table
from surrogate.errors import ArgumentError, NotFoundError, SurrogateError
from surrogate.facts import quantity_text
from surrogate.model import Surrogate
from surrogate.paths import find_bundle, shipped_bundles


def info(
    bundle: Annotated[str | None, typer.Argument(help="A bundle's folder or name.")] = None,
    show_paths: Annotated[
        bool,
        typer.Option(
            "--paths",
            help="Print a line each: include folder, library, CMake folder, pkg-config folder, Fortran module, "
            "and for MPI library and Fortran module.",
        ),
    ] = False,
    show_path: Annotated[
        bool,
        typer.Option("--path", help="Print the bundle's folder, which is what C and Fortran open."),
    ] = False,
    json: Json = False,
) -> None:
    """Show a bundle's fields, grid, time step and programs; or where the installed parts lie."""
    if show_paths:
        _print_paths(json)
    elif show_path:
        _print_path(bundle, json)
    elif bundle is None:
        _print_shipped(json)
    else:
        _print_bundle(find_bundle(bundle), json)


def _print_paths(json: bool) -> None:
    found = {
        "include": paths.include_dir(),
        "library": paths.library(),
        "cmake": paths.cmake_dir(),
        "pkgconfig": paths.pkgconfig_dir(),
        "fortran": paths.fortran_module(),
        "mpi_library": paths.mpi_library(),
        "fortran_mpi": paths.fortran_mpi_module(),
    }
    if json:
        emit_json(found)
    else:
        for path in found.values():
            print(path or "(built without MPI)")


def _print_path(bundle: str | None, json: bool) -> None:
    if bundle is None:
        raise ArgumentError("--path: no bundle given; expected `surrogate info BUNDLE --path`")
    folder = find_bundle(bundle)
    if json:
        emit_json({"path": folder})
    else:
        print(folder)


def _print_shipped(json: bool) -> None:
    shipped = shipped_bundles()
    if json:
        emit_json({"bundles": shipped})
        return
    lines = table("bundle", "folder", title="Bundles that come with the package")
    for name, folder in shipped.items():
        lines.add_row(name, str(folder))
    console().print(
        lines if shipped else "No bundle comes with this installation; give a bundle's folder."
    )


def _print_bundle(folder: Path, json: bool) -> None:
    if not (folder / MANIFEST).is_file():
        raise NotFoundError(f"{folder}: no bundle here (expected a folder with {MANIFEST})")
    manifest = Manifest.read(folder / MANIFEST)
    choice = _choice(folder)
    sizes = {name: _size(folder / name) for name in manifest.files}
    if json:
        emit_json(
            {
                "path": folder,
                "bytes": sum(sizes.values()),
                "choice": choice,
                "manifest": manifest.model_dump(mode="json"),
            }
        )
        return
    out = console()
    out.print(f"[bold]{manifest.name}[/]  {manifest.description}")
    facts = table("", "")
    facts.show_header = False
    for key, value in _facts(folder, manifest, sizes).items():
        facts.add_row(key, value)
    facts.add_row("chosen", choice.get("choice") or f"none: {choice['error']}")
    out.print(facts)
    out.print()
    out.print(_fields(manifest))
    out.print()
    out.print(_programs(manifest, sizes, choice.get("program")))


def _choice(folder: Path) -> dict[str, Any]:
    """What the library chooses on this machine, or why it cannot."""
    try:
        with Surrogate.open(folder) as model:
            chosen = model.info
            return {
                "program": chosen.program,
                "engine": chosen.engine,
                "device": chosen.device,
                "precision": chosen.precision,
                "choice": chosen.choice,
            }
    except SurrogateError as error:
        return {"program": None, "error": str(error)}


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _size_text(manifest: Manifest, sizes: dict[str, int]) -> str:
    text = f"{sum(sizes.values()) / 2**20:.2f} MiB in {len(sizes)} files"
    wrong = [name for name, entry in manifest.files.items() if sizes[name] != entry.bytes]
    if not wrong:
        return text
    name, expected = wrong[0], manifest.files[wrong[0]].bytes
    return (
        f"{text}; damaged: {name} has {sizes[name]} bytes, the manifest says {expected}; "
        "copy the bundle again"
    )


def _facts(folder: Path, manifest: Manifest, sizes: dict[str, int]) -> dict[str, str]:
    grid, local = manifest.grid, manifest.locality
    if grid.fixed_shape is not None:
        rule = " × ".join(map(str, grid.fixed_shape))
    else:
        rule = f"multiples of {_joined(grid.multiple_of)}, at least {_joined(grid.minimum_shape)}"
    spacing = (
        f"; cells of {quantity_text(_joined(grid.spacing), grid.spacing_unit)}"
        if grid.spacing
        else ""
    )
    reach = (
        "every output depends on the whole domain"
        if local.reduces_over_space
        else f"receptive field {_joined(local.receptive_field)} cells, stride {_joined(local.stride)}"
    )
    facts = {
        "folder": str(folder),
        "size": _size_text(manifest, sizes),
        "time step": quantity_text(manifest.time.step, manifest.time.unit),
        "grid": f"({', '.join(grid.axes)}) {rule}{spacing}",
        "boundary": ", ".join(
            f"{axis} {kind}" for axis, kind in zip(grid.axes, grid.boundary, strict=True)
        ),
        "locality": reach,
        "guards": _guards(manifest),
    }
    for parameter in manifest.parameters:
        low, high = parameter.range
        facts[f"parameter {parameter.name}"] = (
            f"{quantity_text(f'{low:g} … {high:g}', parameter.unit)}, preset {parameter.preset:g}"
        )
    for noise in manifest.noise:
        facts[f"noise {noise.name}"] = f"{noise.channels} channels of standard normals"
    if manifest.sampler is not None:
        facts["sampler"] = _sampler(manifest.sampler)
    if manifest.text is not None:
        words = len(manifest.text.vocabulary) - 2
        facts["text"] = f"captions of up to {manifest.text.length} words, of {words} known"
    facts |= {
        f"metric {name}": str(value)
        for name, value in manifest.metrics.items()
        if not isinstance(value, dict)
    }
    return facts


def _sampler(sampler: Sampler) -> str:
    steps = ", ".join(map(str, sampler.steps))
    guidance = "no guidance" if sampler.guidance is None else f"guidance 0 … {sampler.guidance:g}"
    return (
        f"{sampler.method}, {sampler.kind}; steps {steps} (preset {sampler.preset}); "
        f"up to {sampler.members} members; {guidance}"
    )


def _guards(manifest: Manifest) -> str:
    guards = manifest.guards
    parts = {"finite": ["finite"] if guards.finite else []}
    parts["bounds"] = [_interval(name, bounds) for name, bounds in guards.bounds.items()]
    if guards.range is not None:
        parts["range"] = [f"at most {guards.range.share:g} of the cells outside the trained range"]
    if guards.statistics is not None:
        limit = f"{guards.statistics.distance:g}"
        parts["statistics"] = [f"mean and deviation within {limit} deviations of training's"]
    if guards.conserved is not None or guards.policy.conserved == "project":
        names = ", ".join(f.name for f in manifest.fields if f.conserved)
        parts["conserved"] = [f"integral of {names}"]
        if guards.conserved is not None and guards.policy.conserved != "project":
            parts["conserved"] = [f"{parts['conserved'][0]} to {guards.conserved.tolerance:g}"]
    if guards.jump is not None:
        parts["jump"] = [_interval("jump", guards.jump) + " of training's rms"]
    if guards.spread is not None:
        parts["spread"] = [f"spread of members at most {guards.spread.upper:g}"]
    policies = guards.policy.model_dump()
    texts = [
        text if policies[guard] == "reject" else f"{text} (else {policies[guard]})"
        for guard, found in parts.items()
        for text in found
    ]
    return ", ".join(texts) or "none"


def _interval(name: str, bounds: Bounds) -> str:
    low = "" if bounds.lower is None else f"{bounds.lower:g} ≤ "
    high = "" if bounds.upper is None else f" ≤ {bounds.upper:g}"
    return f"{low}{name}{high}"


def _fields(manifest: Manifest) -> Any:
    lines = table("field", "unit", "components", "staggering", "predicted as", "description")
    for field in manifest.fields:
        kind: str = "condition (read only)" if field.prediction is None else field.prediction.kind
        if field.scaling is not None and field.scaling.kind != "linear":
            kind += f", {field.scaling.kind} (softening {field.scaling.softening:g})"
        lines.add_row(
            field.name, field.unit, str(field.components), field.staggering, kind, field.description
        )
    return lines


def _programs(manifest: Manifest, sizes: dict[str, int], chosen: str | None) -> Any:
    sampled = ["steps"] if manifest.sampler else []
    lines = table(
        "", "program", *sampled, "engine", "format", "device", "precision", "made with", "MiB"
    )
    for program in manifest.programs:
        size = f"{sizes[program.file] / 2**20:.2f}" if program.file else ""
        mark = "→" if program.name == chosen else ""
        lines.add_row(
            mark,
            program.name,
            *(str(program.steps) for _ in sampled),
            program.engine,
            " ".join(filter(None, [program.format, program.entry, program.method])),
            program.device,
            program.precision,
            program.made_with,
            size,
        )
    return lines


def _joined(values: list[int] | list[float]) -> str:
    return " × ".join(f"{value:g}" for value in values)
