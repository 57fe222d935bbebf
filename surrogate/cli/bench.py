"""``surrogate bench``: the benchmarks of a checkout, run or as last recorded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from surrogate.cli.options import Json
from surrogate.cli.output import console, emit_json, fail, table
from surrogate.errors import NotFoundError

app = typer.Typer(
    help="Measure on this machine; every result is saved in benchmarks/results of the checkout.",
    no_args_is_help=True,
)
Recorded = Annotated[
    bool, typer.Option("--recorded", help="Print the newest recorded result; measure nothing.")
]


@app.command()
def engines(as_json: Json = False, recorded: Recorded = False) -> None:
    """Programs of pix2pix's unet_256 and of the default bundle against eager torch (compiling takes minutes)."""
    result = _result("engines", recorded)
    if as_json:
        emit_json(result)
        return
    lines = table("net", "program", "ms, 1 thread", "error", "share of matmul peak")
    for net in ("unet_256", "default"):
        for name, row in result[net]["programs"].items():
            numbers = [row["median_ms"], row["error"], row["share_of_matmul_peak"]]
            lines.add_row(net, name, *("refused" if n is None else f"{n:.3g}" for n in numbers))
    console().print(lines)
    for net in ("unet_256", "default"):
        ratio = result[net]["best_over_eager_fp32"]
        console().print(f"{net}: {ratio:.2f} times the better eager fp32")


@app.command()
def overhead(as_json: Json = False, recorded: Recorded = False) -> None:
    """Cost of a C call over bare torch loops (TorchScript, AOTInductor), and of the guards over memcpy."""
    result = _result("overhead", recorded)
    shown = {key: value for key, value in result.items() if not isinstance(value, dict | list)}
    if as_json:
        emit_json(result)
        return
    lines = table("", "")
    for key, value in shown.items():
        lines.add_row(key, str(value))
    console().print(lines)


@app.command()
def scaling(as_json: Json = False, recorded: Recorded = False) -> None:
    """Jumps of a domain that lies in blocks on MPI ranks: modes and ranks in turns, differences, bytes (minutes)."""
    result = _result("scaling", recorded)
    if as_json:
        emit_json(result)
        return
    ny, nx = result["strong"]["domain"]
    lines = table(
        *("mode", "ranks", "ms a jump", "quartiles", "bytes a rank", "minimum"),
        *("float64 difference", "float32 difference"),
        title=f"{ny} x {nx} cells; * more ranks than cores",
    )
    for mode, rows in result["modes"].items():
        for ranks, row in rows.items():
            low, high = row["spread"]
            lines.add_row(
                mode,
                f"{ranks}{'*' if row['oversubscribed'] else ''}",
                f"{1e3 * row['seconds_per_jump']:.1f}",
                f"{1e3 * low:.1f}–{1e3 * high:.1f}",
                *(f"{row[key]:.0f}" for key in ("bytes_per_rank", "minimum_bytes")),
                *(f"{row[key]:.1e}" for key in ("float64_difference", "float32_difference")),
            )
    console().print(lines)
    console().print(f"tiles on one rank over the serial call: {result['tiles_over_serial_us']} µs")
    console().print(result["overlap"]["answer"])


@app.command()
def training(as_json: Json = False, recorded: Recorded = False) -> None:
    """A training step against a bare PyTorch loop, and reading data against tensors in memory (minutes)."""
    result = _result("training", recorded)
    if as_json:
        emit_json(result)
        return
    lines = table(
        *("recipe", "s a step", "step / bare loop", "quartiles"),
        *("throughput / synthetic data", "quartiles", "from files"),
    )
    for name, row in result["recipes"].items():
        step, pipeline = ("step_over_bare", "pipeline_over_synthetic")
        lines.add_row(
            name,
            f"{row['seconds_a_step']['ours']:.3g}",
            *(_with_spread(row, step)),
            *(_with_spread(row, pipeline)),
            f"{row['files_over_synthetic']:.3f}",
        )
    console().print(lines)
    targets = result["targets"]
    console().print(
        f"targets: step / bare loop <= {targets['step_over_bare']}, "
        f"throughput / synthetic data >= {targets['pipeline_over_synthetic']}"
    )


def _with_spread(row: dict[str, Any], key: str) -> tuple[str, str]:
    low, high = row[f"{key}_quartiles"]
    return f"{row[key]:.3f}", f"{low:.3f}–{high:.3f}"


@app.command()
def magnetogram(as_json: Json = False, recorded: Recorded = False) -> None:
    """From an HMI map to regression and pix2pix by FITS cubes, scored on unseen longitudes (an hour and more)."""
    result = _result("magnetogram", recorded)
    if as_json:
        emit_json(result)
        return
    metrics = ("rmse", "relative_l2", "vrmse", "ssim", "spectrum_error")
    test = result["data"]["test"]
    lines = table("", *metrics, title=f"{test['pairs']} pairs of {test['regions']} test regions")
    methods = ("regression", "pix2pix", "regression_unet")
    for method in methods:
        lines.add_row(method, *(f"{result[method]['model'][name]:.4g}" for name in metrics))
    for name in ("persistence", "linear_extrapolation", "mean", "coarse"):
        lines.add_row(name, *(_number(result["regression"][name][metric]) for metric in metrics))
    console().print(lines)
    seconds = {m: result[m]["seconds_per_patch"]["median"] for m in methods}
    seconds |= {
        f"solver, {name}": t["median"] for name, t in result["solver_seconds_per_patch"].items()
    }
    shown = ", ".join(f"{name} {1e3 * value:.1f}" for name, value in seconds.items())
    console().print(f"ms a patch and jump: {shown}")


@app.command()
def generative(as_json: Json = False, recorded: Recorded = False) -> None:
    """Ensembles by flow, diffusion, CRPS … beside regression, on two problems with hidden information (minutes)."""
    result = _result("generative", recorded)
    if as_json:
        emit_json(result)
        return
    scores = ("rmse", "mae", "spectrum_error", "crps", "spread_skill", "ms_per_member")
    for name, problem in result["problems"].items():
        lines = table("method", "evaluations", *scores, title=f"{name}, in {problem['unit']}")
        for row in result["rows"]:
            if row["problem"] == name:
                numbers = (_number(row[score]) for score in scores)
                lines.add_row(row["method"], str(row["nfe"]), *numbers)
        console().print(lines)
        best = problem["targets"]["best"]
        met = f"met by {best['method']} at {best['nfe']}" if best else "not met together"
        console().print(f"targets at <= 4 evaluations: {met}")
    shares = ", ".join(f"{name} <= {value}" for name, value in result["targets"].items())
    console().print(
        f"targets, as shares of deterministic rivals' (spread/skill: a range): {shares}"
    )


def _number(value: float | None) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else f"{value:.4g}"


def _result(name: str, recorded: bool) -> dict[str, Any]:
    """The newest result of a benchmark, after running it unless `recorded`."""
    root = _checkout(name)
    if not recorded:
        script = root / "benchmarks" / name / "run.py"
        done = subprocess.run(
            [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode != 0:
            fail(f"error: {script} failed with status {done.returncode}; see above", code=2)
    found = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in (root / "benchmarks" / "results").glob(f"{name}_*.json")
    ]
    if not found:
        raise NotFoundError(
            f"bench: no recorded result {name}_*.json in {root / 'benchmarks' / 'results'}; "
            f"measure with: surrogate bench {name}"
        )
    newest: dict[str, Any] = max(found, key=lambda result: result["environment"]["date"])
    return newest


def _checkout(name: str) -> Path:
    """The checkout at or above the current folder that holds this benchmark."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "benchmarks" / name / "run.py").is_file():
            return folder
    raise NotFoundError(
        f"bench: no benchmarks/{name}/run.py at or above {here}; benchmarks are not installed: "
        "run this inside a checkout of the repository"
    )
