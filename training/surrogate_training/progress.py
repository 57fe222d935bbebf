"""What a person sees of a run: a bar on a terminal, plain lines in a log. Also ``metrics.jsonl``."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from surrogate.whole import write_text
from surrogate_training.callback import Callback

if TYPE_CHECKING:
    from surrogate_training.config import Recipe
    from surrogate_training.runfolder import RunFolder


class Lines(Callback):
    """Plain lines, for logs."""

    def __init__(self, total: int, write: Callable[[str], None]) -> None:
        self.total, self.write = total, write
        self.began, self.first = time.monotonic(), -1

    def step(self, step: int, values: dict[str, float]) -> None:
        """One line."""
        if self.first < 0:
            self.first, self.began = step, time.monotonic()
        done = step - self.first
        left = (time.monotonic() - self.began) / max(done, 1) * (self.total - step)
        shown = "  ".join(f"{k} {v:.4g}" for k, v in values.items())
        self.write(f"step {step}/{self.total}  {shown}  left {left / 60:.1f} min")

    def validation(self, step: int, values: dict[str, float]) -> None:
        """One line."""
        shown = "  ".join(f"{k} {v:.4f}" for k, v in values.items())
        self.write(f"validation at {step}: {shown}")


class Bar(Callback):
    """A progress bar, for terminals."""

    def __init__(self, total: int, console: Console) -> None:
        self.progress = Progress(
            TextColumn("train"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[shown]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self.task = self.progress.add_task("train", total=total, shown="")

    def begin(self, run: RunFolder, recipe: Recipe, *, step: int) -> None:
        """Show the bar."""
        self.progress.update(self.task, completed=step)
        self.progress.start()

    def step(self, step: int, values: dict[str, float]) -> None:
        """Move the bar."""
        shown = f"loss {values.get('loss', math.nan):.4f}"
        self.progress.update(self.task, completed=step, shown=shown)

    def validation(self, step: int, values: dict[str, float]) -> None:
        """A line above the bar."""
        shown = "  ".join(f"{k} {v:.4f}" for k, v in values.items())
        self.progress.console.print(f"validation at {step}: {shown}")

    def close(self) -> None:
        """Leave the terminal as it was."""
        self.progress.stop()


def progress(total: int, console: Console) -> Callback:
    """A bar where the console is a terminal, else lines."""
    if console.is_terminal:
        return Bar(total, console)
    return Lines(total, lambda text: console.print(text, highlight=False, soft_wrap=True))


class MetricsFile:
    """``metrics.jsonl``: one JSON object a line; a resumed run drops what lies after its checkpoint."""

    def __init__(self, path: Path, *, from_step: int) -> None:
        self.path = path
        kept = []
        if path.is_file() and from_step > 0:
            for line in path.read_text().splitlines():
                try:
                    if json.loads(line)["step"] <= from_step:
                        kept.append(line + "\n")
                except (json.JSONDecodeError, KeyError):
                    continue  # a line that a killed run left half written
        write_text(path, "".join(kept))

    def add(self, record: dict[str, Any]) -> None:
        """Append one record."""
        append_record(self.path, record)


def append_record(path: Path, record: dict[str, Any]) -> None:
    """Append one record to ``metrics.jsonl``: one write at its end, so that threads never mix their lines."""
    try:
        with path.open("a") as stream:
            stream.write(json.dumps(record) + "\n")
    except OSError as error:
        text = f"{error.strerror}; free space and continue with --resume"
        raise OSError(error.errno, text, str(path)) from error
