"""Tests run against the installed package, as users do."""

import sys
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[1]
# `python -m pytest` puts the working folder first, where the package has no compiled module.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _REPOSITORY]
