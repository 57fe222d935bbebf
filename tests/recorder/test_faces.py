"""The recorder from C++, Fortran, and a host with HDF5 of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest
from compiling import INCLUDE, LIBRARY, compile_program, need_compiler, run

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(
    not (LIBRARY / "libsurrogate_recorder.so").exists(),
    reason="libsurrogate_recorder.so is missing: HDF5's development files, then make native",
)


def test_cpp_records_moves_and_closes(tmp_path: Path) -> None:
    program = compile_program(HERE / "faces.cpp", tmp_path / "faces")
    assert run([program, tmp_path / "a.h5"]).stdout.split("\n") == ["done", ""]
    cells = np.arange(24.0).reshape(4, 6)
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["dimensions/time"].attrs["units"] == "s"
        assert file.attrs["seed"] == 5
        for n in range(3):
            np.testing.assert_array_equal(file["t0_fields/rho"][0, n], 100 * n + cells)
            np.testing.assert_array_equal(file["t1_fields/v"][0, n, ..., 1], 100 * n - 24 - cells)


@pytest.mark.parametrize(
    "options", [["-g", "-fcheck=all", "-ffpe-trap=invalid,zero,overflow"], ["-O3"]]
)
def test_fortran_records_slices_and_tells_every_refusal(tmp_path: Path, options: list[str]) -> None:
    program = compile_program(HERE / "faces.f90", tmp_path / "faces", *options)
    done = run([program, tmp_path / "a.h5"])
    assert (done.stdout.split("\n"), done.stderr) == (["done", ""], "")
    j, i = np.meshgrid(np.arange(1, 5), np.arange(1, 7), indexing="ij")
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file["dimensions/x"], 0.25 * np.arange(6))
        np.testing.assert_array_equal(file["dimensions/y"], 0.5 * np.arange(4))
        assert file["boundary_conditions/y_boundary"].attrs["bc_type"] == "WALL"
        assert (file.attrs["gamma"], file.attrs["nu"], file.attrs["trajectory"]) == (1.4, 0.1, 2)
        assert file["t0_fields/rho"].attrs["units"] == "kg/m3"
        for n in range(3):
            rho = 100.0 * n + 10 * j + i
            np.testing.assert_array_equal(file["t0_fields/rho"][0, n], rho)
            np.testing.assert_array_equal(file["t1_fields/v"][0, n], np.stack([rho, -rho], -1))


def test_a_host_with_hdf5_keeps_its_error_handler_and_hears_nothing_of_ours(tmp_path: Path) -> None:
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "hdf5"], capture_output=True, text=True, check=False
    )
    if flags.returncode:
        pytest.skip("pkg-config knows no hdf5: HDF5's development files")
    library = [f"-L{LIBRARY}", f"-Wl,-rpath,{LIBRARY}", "-lsurrogate"]
    source = [HERE / "host.c", f"-I{INCLUDE}", *library, *flags.stdout.split()]
    run([need_compiler("gcc"), *source, "-o", tmp_path / "host"])
    done = run([tmp_path / "host", tmp_path])
    assert (done.stdout, done.stderr) == ("done\n", "")
