"""surrogate.Recorder: numpy frames in, The Well's layout out; beside h5py; without the plugin."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import surrogate
from surrogate import Recorder, _native
from surrogate.errors import (
    ArgumentError,
    EngineError,
    FieldError,
    ShapeError,
    UnitError,
    WriteError,
)
from surrogate.io.frames import FrameFile

LIBRARY = Path(_native.__file__).parent / "lib"
PLUGIN = LIBRARY / "libsurrogate_recorder.so"
pytestmark = pytest.mark.skipif(
    not PLUGIN.exists(), reason=f"{PLUGIN} is missing: HDF5's development files, then make build"
)


def state(n: int, *, dtype: str = "f8") -> dict[str, np.ndarray]:
    """rho (ny, nx) and v (2, ny, nx) of frame n."""
    rng = np.random.default_rng(n)
    return {
        "rho": rng.normal(size=(5, 7)).astype(dtype),
        "v": rng.normal(size=(2, 5, 7)).astype(dtype),
    }


def test_frames_are_readable_while_recording_and_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with Recorder(path, units={"rho": "kg/m3"}, spacing=(0.5, 0.25), seed=3) as recorder:
        for n in range(4):
            recorder.write(0.1 * n, state(n))
            with FrameFile(path) as frames:
                assert frames.frames == n + 1
                for name, values in state(n).items():
                    np.testing.assert_array_equal(frames.state(-1)[name], values)
    assert recorder.closed
    with FrameFile(path) as frames:
        for n in range(4):
            for name, values in state(n).items():
                np.testing.assert_array_equal(frames.state(n)[name], values)
        assert frames.unit("rho") == "kg/m3"
    with pytest.raises(ArgumentError, match="closed"):
        recorder.write(9.0, state(0))


def test_precision_batches_and_tensors(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    u, tensor, odd = (rng.normal(size=(3, c, 4, 4)) for c in (1, 4, 3))
    with Recorder(tmp_path / "b.h5", precision="float32") as recorder:
        recorder.write(0.0, {"u": u, "tau": tensor, "species": odd})
    with h5py.File(tmp_path / "b.h5") as file:
        assert file.attrs["n_trajectories"] == 3
        np.testing.assert_array_equal(file["t0_fields/u"][:, 0], u[:, 0].astype("f4"))
        assert file["t2_fields/tau"].shape == (3, 1, 4, 4, 2, 2)
        assert file["t1_fields/species"].shape == (3, 1, 4, 4, 3)
    with FrameFile(tmp_path / "b.h5") as frames:
        np.testing.assert_array_equal(
            frames.read("tau", 0, 1, trajectory=2)[0], tensor[2].astype("f4")
        )


@pytest.mark.parametrize("rank", [1, 3])
def test_one_and_three_axes(tmp_path: Path, rank: int) -> None:
    values = np.random.default_rng(rank).normal(size=(3, 4, 5)[:rank])
    with Recorder(tmp_path / "r.h5", spatial_rank=rank) as recorder:
        recorder.write(0.0, {"u": values, "v": np.stack([values] * 3)})
    with FrameFile(tmp_path / "r.h5") as frames:
        assert frames.shape == values.shape
        np.testing.assert_array_equal(frames.state(0)["u"], values)
        np.testing.assert_array_equal(frames.state(0)["v"][2], values)


def test_what_does_not_fit_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="expected 2 values"):
        Recorder(tmp_path / "x.h5", spacing=(1.0,))
    with pytest.raises(ArgumentError, match="'round'"):
        Recorder(tmp_path / "x.h5", boundary=("round", None))  # type: ignore[arg-type]
    with pytest.raises(WriteError, match="no/such"):
        Recorder(tmp_path / "no" / "such" / "x.h5")
    with Recorder(tmp_path / "x.h5") as recorder:
        recorder.write(0.0, state(0))
        with pytest.raises(ArgumentError, match="exists already"):
            Recorder(tmp_path / "x.h5")
        with pytest.raises(FieldError, match="expected 2"):
            recorder.write(1.0, {"rho": state(0)["rho"]})
        with pytest.raises(ShapeError, match="spatial axes"):
            recorder.write(1.0, {"rho": np.zeros(3), "v": state(0)["v"]})
    with pytest.raises(ArgumentError, match="exists already"):
        Recorder(tmp_path / "x.h5")
    with Recorder(tmp_path / "x.h5", overwrite=True) as recorder:
        recorder.write(5.0, state(5))
    with FrameFile(tmp_path / "x.h5") as frames:
        assert list(frames.times()) == [5.0]


def test_a_quantity_is_recorded_in_the_unit_that_was_named(tmp_path: Path) -> None:
    units = pytest.importorskip(
        "astropy.units", reason="astropy is not installed: pip install astropy"
    )
    with Recorder(tmp_path / "q.h5", units={"u": "m"}) as recorder:
        recorder.write(0.0, {"u": np.ones((4, 4)) * units.km})
        with pytest.raises(UnitError):
            recorder.write(1.0, {"u": np.ones((4, 4)) * units.s})
    with FrameFile(tmp_path / "q.h5") as frames:
        assert (frames.state(0)["u"] == 1000).all()


ORDERS = {
    "h5py first": "import h5py, surrogate",
    "surrogate first": "import surrogate",
}


@pytest.mark.parametrize("order", ORDERS)
def test_recording_and_h5py_share_a_process_in_either_order(tmp_path: Path, order: str) -> None:
    script = f"""
{ORDERS[order]}
import sys, numpy as np
u = np.arange(12.0).reshape(3, 4)
maps = lambda: open("/proc/self/maps").read()
assert "libsurrogate_recorder" not in maps() and "libhdf5_serial" not in maps(), "loaded before it is used"
with surrogate.Recorder("one.h5") as recorder:
    recorder.write(0.0, {{"u": u}})
    import h5py
    with h5py.File("one.h5") as file:
        assert (file["t0_fields/u"][0, 0] == u).all()
    try:
        h5py.File("missing.h5")
    except FileNotFoundError:
        pass
    recorder.write(1.0, {{"u": u + 1}})
with h5py.File("one.h5") as file, h5py.File("two.h5", "w") as other:
    other["u"] = file["t0_fields/u"][0, 1]
    assert (other["u"][()] == u + 1).all()
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_the_plugin_the_error_says_what_to_install(tmp_path: Path) -> None:
    package = tmp_path / "site" / "surrogate"
    shutil.copytree(Path(surrogate.__file__).parent, package, symlinks=True)
    (package / "lib" / PLUGIN.name).unlink()
    script = f"""
from surrogate import Recorder
from surrogate.errors import EngineError
try:
    Recorder({os.fspath(tmp_path / "x.h5")!r})
except EngineError as error:
    assert "libsurrogate_recorder" in str(error) and "HDF5" in str(error) and "libhdf5-dev" in str(error), error
else:
    raise SystemExit("recorded without the plugin")
"""
    environment = {**os.environ, "PYTHONPATH": os.fspath(package.parent)}
    environment.pop("SURROGATE_ENGINE_PATH", None)
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert issubclass(EngineError, RuntimeError)
