"""Recordings made from C, read back with h5py: layout, values, what a kill leaves."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from compiling import BUILD, need_library, run
from h5files import assert_same_files

from surrogate.io.frames import FrameFile

NY, NX = 6, 8


@pytest.fixture(scope="module")
def program() -> Path:
    """tests/c/test_recorder.c, which records on demand."""
    need_library()
    path = BUILD / "bin" / "c_test_recorder"
    if not path.exists():
        pytest.skip(f"{path} is missing: HDF5's development files, then make native")
    return path


def expected(frames: int) -> np.ndarray:
    """What the program's rho is, (frames, ny, nx)."""
    n, j, i = np.meshgrid(np.arange(frames), np.arange(NY), np.arange(NX), indexing="ij")
    return 1000.0 * n + 10 * j + i


def test_a_recording_has_the_layout_of_the_well(program: Path, tmp_path: Path) -> None:
    run([program, "record", tmp_path / "run7.h5"])
    with h5py.File(tmp_path / "run7.h5") as file:
        assert file.attrs["dataset_name"] == "run7"
        assert file.attrs["description"] == "ghosts and strides"
        assert file.attrs["grid_type"] == "cartesian"
        assert (file.attrs["n_trajectories"], file.attrs["n_spatial_dims"]) == (1, 2)
        assert (file.attrs["trajectory"], file.attrs["seed"]) == (7, 2**64 - 1)
        assert list(file.attrs["simulation_parameters"]) == ["gamma", "seed"]
        assert file.attrs["gamma"] == 1.4
        assert {name: file["scalars"][name][()] for name in ("gamma", "seed")} == {
            "gamma": 1.4,
            "seed": 3.5,
        }
        assert list(file["dimensions"].attrs["spatial_dims"]) == ["y", "x"]
        np.testing.assert_allclose(file["dimensions/y"], 10 + 0.5 * np.arange(NY))
        np.testing.assert_allclose(file["dimensions/x"], 0.25 * np.arange(NX))
        np.testing.assert_array_equal(file["dimensions/time"], [0.0, 0.25, 0.5])
        assert file["dimensions/time"].attrs["units"] == "s"
        assert file["dimensions/x"].attrs["units"] == "m"
        walls = file["boundary_conditions/y_boundary"]
        assert walls.attrs["bc_type"] == "WALL"
        assert list(walls.attrs["associated_dims"]) == ["y"]
        np.testing.assert_array_equal(np.flatnonzero(walls["mask"]), [0, NY - 1])
        assert file["boundary_conditions/x_boundary"].attrs["bc_type"] == "PERIODIC"
        assert list(file["t0_fields"].attrs["field_names"]) == ["rho", "p"]
        assert list(file["t1_fields"].attrs["field_names"]) == ["v"]
        assert list(file["t2_fields"].attrs["field_names"]) == []
        rho = file["t0_fields/rho"]
        assert rho.attrs["units"] == "kg/m3"
        assert list(rho.attrs["dim_varying"]) == [True, True]
        assert rho.attrs["sample_varying"]
        assert rho.attrs["time_varying"]
        assert (rho.chunks, rho.compression, rho.compression_opts) == ((1, 1, 4, NX), "gzip", 4)


def test_ghost_cells_strides_and_components_read_back_to_the_bit(
    program: Path, tmp_path: Path
) -> None:
    run([program, "record", tmp_path / "a.h5"])
    rho = expected(3)
    with h5py.File(tmp_path / "a.h5") as file:
        assert (file["t0_fields/rho"].dtype, file["t1_fields/v"].dtype) == ("<f8", "<f4")
        np.testing.assert_array_equal(file["t0_fields/rho"], rho[None])  # (1, frames, ny, nx)
        np.testing.assert_array_equal(file["t0_fields/p"], rho[None] + 0.5)
        v = np.stack([rho, -rho], axis=-1)[None]  # (1, frames, ny, nx, 2)
        np.testing.assert_array_equal(file["t1_fields/v"], v.astype("f4"))
    with FrameFile(tmp_path / "a.h5") as frames:
        np.testing.assert_array_equal(frames.read("v[1]", 0, 3), -rho)
        assert frames.spacing == (0.5, 0.25)
        assert frames.unit("rho") == "kg/m3"
    assert not (tmp_path / "a.h5.frames").exists()


@pytest.mark.parametrize("compression", ["0", "4"])
@pytest.mark.parametrize("which", ["1", "2"], ids=["one frame", "all frames"])
def test_frames_laid_out_and_filled_by_hand_are_those_that_write_stores(
    program: Path, tmp_path: Path, which: str, compression: str
) -> None:
    run([program, "plainly", tmp_path / "written.h5", "0", compression])
    run([program, "plainly", tmp_path / "filled.h5", which, compression])
    assert_same_files(tmp_path / "filled.h5", tmp_path / "written.h5")


def test_every_frame_whose_write_returned_survives_kill_9(program: Path, tmp_path: Path) -> None:
    path = tmp_path / "100%b killed.h5"  # '%' has a meaning in the names of virtual datasets
    run([program, "kill", path, "7"])
    with h5py.File(path) as file:  # an ordinary reader, no special flags
        count = len(file["dimensions/time"])
        assert count >= 7
        np.testing.assert_array_equal(file["t0_fields/rho"][0], expected(count))
        np.testing.assert_array_equal(file["dimensions/time"], 0.25 * np.arange(count))
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in (path.name, path.name + ".frames"):
        shutil.move(tmp_path / name, moved / name)
    with FrameFile(moved / path.name) as frames:
        np.testing.assert_array_equal(frames.state(-1)["rho"], expected(count)[-1])
