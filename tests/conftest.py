"""Tests run against the installed package, as users do."""

import os
import sys
import tempfile
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[1]
# `python -m pytest` puts the working folder first, where the package has no compiled module.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _REPOSITORY]
# Programs that this machine's user has lowered must not change what tests see; subprocesses inherit it.
_NO_OVERLAY = tempfile.TemporaryDirectory(prefix="surrogate-tests-")
os.environ["SURROGATE_OVERLAY"] = _NO_OVERLAY.name
