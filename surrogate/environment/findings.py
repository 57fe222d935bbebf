"""The form of a finding."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for.

    Attributes
    ----------
    name : str
        For instance ``gfortran``.
    text : str
        What was found; empty where it is missing.
    found : bool
        Whether it is there and works.
    remedy : str
        The line that installs or repairs it; empty where there is nothing to do.
    """

    name: str
    text: str
    found: bool = True
    remedy: str = ""


@dataclass(frozen=True)
class Section:
    """Findings about one topic."""

    title: str
    findings: tuple[Finding, ...]


def as_dict(sections: Sequence[Section]) -> dict[str, Any]:
    """Findings as JSON takes them: section, name, then ``found``, ``text``, ``remedy``."""
    return {
        section.title: {
            finding.name: {"found": finding.found, "text": finding.text, "remedy": finding.remedy}
            for finding in section.findings
        }
        for section in sections
    }


def first_line(*command: str, contains: str = "") -> str:
    """First line that a command prints and that holds `contains`; empty if it cannot be run."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = [line.strip() for line in (done.stdout or done.stderr).splitlines() if contains in line]
    return lines[0] if lines and done.returncode == 0 else ""


def probed(*arguments: str) -> dict[str, Any]:
    """What :mod:`surrogate.environment.probe` finds in a process of its own, or an ``error``."""
    command = [sys.executable, "-P", "-m", "surrogate.environment.probe", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        facts: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        last = done.stderr.strip().splitlines()[-1:] if "done" in locals() else ["timed out"]
        return {"error": "".join(last) or "it took the process down"}
    return facts
