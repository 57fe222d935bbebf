"""Start a solver of benchmarks/solvers from a test."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from surrogate.demo.launch import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]


def find_binary(name):
    """Path of a solver: the variable NAME in capitals, build/bin/NAME, or anything below build."""
    variable = name.upper()
    candidates = [Path(os.environ[variable])] if variable in os.environ else []
    candidates += [ROOT / "build" / "bin" / name, *(ROOT / "build").glob(f"**/{name}")]
    for path in candidates:
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return pytest.skip(
        f"no {name} binary: build it with `make native`, or name it in the variable {variable}"
    )


def start_solver(name, *arguments, ranks=1, **options):
    """Run a solver, return the finished process; an option `t_end=1` becomes --t-end 1."""
    command = [str(find_binary(name)), *arguments]
    for option, value in options.items():
        command += ["--" + option.replace("_", "-"), str(value)]
    if ranks > 1:
        launcher = shutil.which("mpirun")
        if launcher is None:
            pytest.skip("no mpirun: install Open MPI (apt-get install openmpi-bin)")
        command = [launcher, "--bind-to", "none", "-n", str(ranks), *command]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=os.environ | ENVIRONMENT,
        timeout=120,
        check=False,
    )


def run_solver(name, *arguments, ranks=1, **options):
    """Run a solver to a good end and return its report."""
    done = start_solver(name, *arguments, "--json", ranks=ranks, **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
