"""What an installation with MPI offers a CMake project: MPI is looked for only where a component asks for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from compiling import ROOT

from surrogate import paths
from surrogate.environment import tools

CMAKE = shutil.which("cmake", path=str(Path(sys.executable).parent)) or shutil.which("cmake")
PROJECT = """cmake_minimum_required(VERSION 3.20)
project(user LANGUAGES C CXX)
find_package(surrogate CONFIG REQUIRED {components})
{body}
"""
SOLVER = ROOT / "bindings" / "examples" / "blocks.c"


def configure(folder: Path, components: str, body: str) -> subprocess.CompletedProcess[str]:
    if CMAKE is None:
        pytest.skip("cmake is missing: pip install cmake")
    if paths.mpi_library() is None:
        pytest.skip("surrogate was built without MPI: install one for C, then surrogate again")
    (folder / "CMakeLists.txt").write_text(PROJECT.format(components=components, body=body))
    command = [CMAKE, "-S", folder, "-B", folder / "build", f"-Dsurrogate_DIR={paths.cmake_dir()}"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_without_a_component_no_mpi_is_looked_for(tmp_path: Path):
    body = "if(MPI_C_FOUND OR TARGET surrogate::mpi)\n  message(FATAL_ERROR looked)\nendif()"
    done = configure(tmp_path, "", body)
    assert done.returncode == 0, done.stderr


def test_the_component_mpi_builds_a_solver(tmp_path: Path):
    body = f"add_executable(solver {SOLVER})\ntarget_link_libraries(solver PRIVATE surrogate::mpi)"
    done = configure(tmp_path, "COMPONENTS mpi", body)
    assert done.returncode == 0, done.stderr
    command = [CMAKE, "--build", tmp_path / "build"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "build" / "solver").is_file()


def test_an_unknown_component_is_told(tmp_path: Path):
    done = configure(tmp_path, "COMPONENTS gpu", "")
    assert done.returncode != 0
    assert "surrogate has no component 'gpu'" in " ".join(done.stderr.split())


def test_doctor_tells_the_library_s_mpi_and_whether_mpi4py_shares_it():
    found = {finding.name: finding for finding in tools.mpi().findings}
    if paths.mpi_library() is None:
        assert "install surrogate again" in found["library"].remedy
        return
    assert found["library"].text
    if found["mpi4py"].found:
        assert "on the same MPI" in found["mpi4py"].text


def test_doctor_tells_an_mpi4py_on_another_mpi(monkeypatch):
    facts = {"library": "Open MPI v4.1.4", "error": "comm belongs to another MPI"}
    monkeypatch.setattr(tools, "probed", lambda *_: facts)
    monkeypatch.setattr(tools, "package_version", lambda _: "4.1.2")
    mpi4py = {finding.name: finding for finding in tools.mpi().findings}["mpi4py"]
    assert mpi4py.text == "4.1.2, comm belongs to another MPI"
    assert not mpi4py.found


def test_doctor_tells_how_to_get_the_library(monkeypatch):
    monkeypatch.setattr(tools, "probed", lambda *_: {"error": "built without MPI"})
    library = {finding.name: finding for finding in tools.mpi().findings}["library"]
    assert not library.found
    assert library.remedy.endswith("then install surrogate again")
