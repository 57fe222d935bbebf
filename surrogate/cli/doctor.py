"""``surrogate doctor``: what this machine offers, ready to be pasted into a bug report."""

from __future__ import annotations

from surrogate.cli.options import Json
from surrogate.cli.output import emit_json
from surrogate.environment import as_dict, diagnose


def doctor(json: Json = False) -> None:
    """Report system, CPU, compilers, MPI, torch, engines, OpenMP, HDF5 and Python packages."""
    sections = diagnose()
    if json:
        emit_json(as_dict(sections))
        return
    for section in sections:
        print(section.title)
        for finding in section.findings:
            mark = " " if finding.found else "-"
            text = finding.text or "missing"
            print(f"  {mark} {finding.name:<12} {text}")
            if finding.remedy:
                print(f"    {'':<12} install: {finding.remedy}")
