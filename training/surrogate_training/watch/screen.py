"""A snapshot as a person reads it."""

from __future__ import annotations

import math

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from surrogate_training.watch.snapshot import Curve, Snapshot

BLOCKS = "▁▂▃▄▅▆▇█"
COLOURS = {"running": "green", "finished": "bold green", "waiting": "yellow", "stopped": "yellow"}
UNITS = {"percent": "%", "gib": "GiB", "c": "°C", "w": "W"}
WIDTH = 24  # of sparklines and the bar: the table fits into 80 columns


def render(s: Snapshot) -> Group:
    """The whole screen."""
    return Group(_head(s), _resources(s), _figures(s))


def sparkline(values: list[float], width: int = WIDTH) -> str:
    """A curve in one line of blocks, by the logarithm where all values are positive; means where it is too long."""
    known = [v for v in values if math.isfinite(v)]
    if not known:
        return ""
    count = min(width, len(known))
    parts = [known[n * len(known) // count : (n + 1) * len(known) // count] for n in range(count)]
    means = [sum(part) / len(part) for part in parts]
    if min(means) > 0:
        means = [math.log(v) for v in means]
    low, high = min(means), max(means)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[round((v - low) * scale)] for v in means)


def duration(seconds: float | None) -> str:
    """``3 h 05 min``; a dash where it is not known."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _head(s: Snapshot) -> Group:
    title = Text.assemble(
        (s.name, "bold"), "  ", (s.state, COLOURS.get(s.state, "red")), f"  {s.why}"
    )
    line = Table.grid(padding=(0, 2))
    line.add_row(
        ProgressBar(total=s.steps, completed=s.step, width=WIDTH),
        f"step {s.step} of {s.steps}",
        f"left {duration(s.seconds_left)}",
        f"checkpoint {duration(s.checkpoint_age)} ago"
        if s.checkpoint_age is not None
        else "no checkpoint",
        "" if s.learning_rate is None else f"rate {s.learning_rate:.2e}",
    )
    return Group(title, Text(s.path, style="dim"), line)


def _figures(s: Snapshot) -> Table:
    """What counts most first: the table may be longer than the screen."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "last", "best", "at step", "curve"):
        table.add_column(heading, justify="left" if heading in ("", "curve") else "right")
    metric, largest = s.metric.removeprefix("-"), s.metric.startswith("-")
    first = [name for name in s.losses if name.rpartition(".")[2] == "loss"]
    for name in first:
        _row(table, f"train {name}", s.losses[name], largest=False)
    if metric in s.validations:
        _row(table, f"validation {metric} *", s.validations[metric], largest=largest)
    for name in [n for n in s.losses if n not in first]:
        _row(table, f"train {name}", s.losses[name], largest=False)
    for name in [n for n in s.validations if n != metric]:
        _row(table, f"validation {name}", s.validations[name], largest=False)
    return table


def _row(table: Table, name: str, curve: Curve, *, largest: bool) -> None:
    values = [v for _, v in curve]
    known = [(v, step) for step, v in curve if math.isfinite(v)]
    top, step = (max(known) if largest else min(known)) if known else (math.nan, 0)
    table.add_row(name, f"{values[-1]:.4g}", f"{top:.4g}", str(step), sparkline(values))


def _resources(s: Snapshot) -> Text:
    """``cpu_percent`` 57 as ``cpu 57 %``."""
    shown = []
    for name, value in s.resources.items():
        what, _, unit = name.rpartition("_")
        if unit in UNITS:
            shown.append(f"{what.replace('_', ' ')} {value:.3g} {UNITS[unit]}")
        elif unit != "seconds":
            shown.append(f"{name} {value:.3g}")
    return Text("  ".join(shown), style="dim")
