"""Files of frames in every format: what is read, and what is said of a file that cannot be."""

from __future__ import annotations

import importlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from surrogate.errors import (
    ArgumentError,
    CorruptError,
    FieldError,
    NotFoundError,
    ShapeError,
    UnsupportedError,
)
from surrogate.io.frames import FrameFile, Frames, open_frames

RNG = np.random.default_rng(0)
U = RNG.normal(size=(5, 6, 8))  # (frames, ny, nx)
V = RNG.normal(size=(5, 2, 6, 8)).astype("f4")  # (frames, components, ny, nx)


def test_arrays_beside_time_in_hdf5(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["b"], file["u"], file["time"] = V.astype(">f4"), U, np.arange(5) * 0.5
        file["u"].attrs["units"], file["time"].attrs["units"] = "m/s", "s"
        file.attrs["gamma"] = 1.5
    with open_frames(tmp_path / "a.h5") as frames:
        assert isinstance(frames, Frames)
        assert (frames.shape, frames.frames, frames.trajectories) == ((6, 8), 5, 1)
        assert (frames.unit("u"), frames.time_unit) == ("m/s", "s")
        assert (frames.components("b"), frames.components("b[1]")) == (2, 1)
        np.testing.assert_array_equal(frames.read("/b[1]", 1, 3), V[1:3, 1])
        assert frames.read("b", 0, 1).dtype == frames.dtype("b") == np.dtype("f4")
        assert frames.read("b", 0, 1).dtype.isnative
        np.testing.assert_array_equal(frames.scalar("gamma"), np.full(5, 1.5))
        with pytest.raises(FieldError, match=r"b\[2\]; b has 2 components"):
            frames.read("b[2]", 0, 1)
        with pytest.raises(FieldError, match="did you mean 'u'"):
            frames.read("U", 0, 1)


def test_an_unknown_file_is_told_by_its_content(tmp_path):
    np.save(tmp_path / "u.npy", U)
    (tmp_path / "u.npy").rename(tmp_path / "u.dat")
    with open_frames(tmp_path / "u.dat") as frames:
        np.testing.assert_array_equal(frames.read("u", 0, 5), U)
    (tmp_path / "x.dat").write_text("hello")
    with pytest.raises(ArgumentError, match=r"unknown kind of file; expected \.h5"):
        open_frames(tmp_path / "x.dat")
    with pytest.raises(NotFoundError, match="no such file"):
        open_frames(tmp_path / "none.fits")


@pytest.mark.parametrize("dtype", ["u1", ">i2", "i4", "<f4", "f8", "f2"])
def test_npy_of_any_type_is_mapped_not_read(tmp_path, dtype):
    values = (100 * V).astype(dtype)
    np.save(tmp_path / "u.npy", values)
    with open_frames(tmp_path / "u.npy") as frames:
        assert isinstance(frames.source("u").values, np.memmap)
        assert (frames.frames, frames.components("u"), frames.shape) == (5, 2, (6, 8))
        read = frames.read("u[1]", 2, 4)
        assert read.dtype == np.dtype(dtype).newbyteorder("=")
        np.testing.assert_array_equal(read, values[2:4, 1])
        np.testing.assert_array_equal(frames.times(), np.arange(5))
        with pytest.raises(ArgumentError, match="frames 2 to 6 of u; it holds 5"):
            frames.read("u", 2, 6)


def test_npy_of_one_frame(tmp_path):
    np.save(tmp_path / "u.npy", U[0])
    with open_frames(tmp_path / "u.npy") as frames:
        assert frames.frames == 1
        np.testing.assert_array_equal(frames.read("u", 0, 1), U[:1])
    np.save(tmp_path / "u.npy", U[0, 0])
    with pytest.raises(ShapeError, match=r"shape \(8,\); expected \(ny, nx\)"):
        open_frames(tmp_path / "u.npy")


@pytest.mark.parametrize("kind", ["nc", "zarr"])
def test_netcdf_and_zarr_with_named_dimensions(tmp_path, kind):
    xarray = pytest.importorskip("xarray")
    path = tmp_path / f"a.{kind}"
    packed = np.round(100 * U).astype("i2")
    packed[0, 0, 0] = -999
    scale = {"scale_factor": 0.01, "_FillValue": -999} if kind == "nc" else {}
    data = xarray.Dataset(
        {
            "u": (("time", "lat", "lon"), packed, {"units": "m/s"}),
            "v": (("time", "part", "lat", "lon"), V),
            "eta": ((), 0.1),
        },
        {"time": ("time", 3.0 * np.arange(5), {"units": "hours"}), "lon": 2.0 * np.arange(8)},
        {"gamma": 1.5, "title": "x"},
    )
    if kind == "nc":
        pytest.importorskip("h5netcdf")
        data["u"].attrs |= scale
        data.to_netcdf(path, engine="h5netcdf")
    else:
        pytest.importorskip("zarr")
        data.to_zarr(path, consolidated=False)
    with open_frames(path) as frames:
        assert set(frames.names) == {"u", "v"}
        assert (frames.unit("u"), frames.time_unit, frames.spacing) == ("m/s", "hours", (1, 2))
        np.testing.assert_array_equal(frames.times(), 3.0 * np.arange(5))
        assert frames.constants == {"gamma": 1.5, "eta": 0.1}
        np.testing.assert_array_equal(frames.read("v[1]", 1, 4), V[1:4, 1])
        u = frames.read("u", 0, 2)
        if kind == "nc":
            assert np.isnan(u[0, 0, 0])
            np.testing.assert_allclose(u[1], 0.01 * packed[1], rtol=1e-6)
        else:
            np.testing.assert_array_equal(u, packed[:2])


def test_zarr_beside_time_and_by_a_mapping(tmp_path):
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="w")
    for name, values in {"u": U, "v": V, "time": np.arange(5.0)}.items():
        group[name] = values
    with open_frames(tmp_path / "a.zarr") as frames:
        np.testing.assert_array_equal(frames.read("v[0]", 0, 5), V[:, 0])
        np.testing.assert_array_equal(frames.read("u", 4, 5), U[4:])
    (tmp_path / "m.yaml").write_text(
        "fields: {w: {dataset: v, axes: [time, component, y, x], select: {component: 1}}}\n"
        "time: {dataset: time, unit: s}\n"
    )
    with open_frames(tmp_path / "a.zarr", mapping=tmp_path / "m.yaml") as frames:
        assert (frames.names, frames.components("w"), frames.time_unit) == (("w",), 1, "s")
        np.testing.assert_array_equal(frames.read("w", 0, 5), V[:, 1])


@pytest.mark.parametrize(
    ("dtype", "suffix"), [("u1", "png"), ("u2", "png"), ("u2", "tif"), ("i4", "tif"), ("f4", "tif")]
)
def test_images_keep_their_bits_and_stand_in_the_order_of_names(tmp_path, dtype, suffix):
    image = pytest.importorskip("PIL.Image")
    top = 60000 if dtype != "u1" else 255
    values = (RNG.random((3, 4, 5)) * top).astype(dtype)
    for n in (2, 0, 1):
        image.fromarray(values[n]).save(tmp_path / f"frame_{n}.{suffix}")
    (tmp_path / "notes.txt").write_text("no image")
    with open_frames(tmp_path) as frames:
        assert (frames.frames, frames.shape) == (3, (4, 5))
        read = frames.read("image", 0, 3)
        assert read.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(read, values)


def test_images_of_several_channels_or_unlike_sizes(tmp_path):
    image = pytest.importorskip("PIL.Image")
    rgb = (RNG.random((4, 5, 3)) * 255).astype("u1")
    image.fromarray(rgb).save(tmp_path / "a.png")
    with open_frames(tmp_path) as frames:
        np.testing.assert_array_equal(frames.read("image[2]", 0, 1)[0], rgb[..., 2])
    image.fromarray(rgb[:3]).save(tmp_path / "b.png")
    with pytest.raises(ShapeError, match=r"b.png has 3 x 5 pixels.*a.png has 4 x 5"):
        open_frames(tmp_path)
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    with pytest.raises(CorruptError, match=r"b.png: cannot be read|image.*cannot be read"):
        open_frames(tmp_path).read("image", 0, 2)
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match="holds no image"):
        open_frames(tmp_path / "empty")


DAMAGES = {
    "a.h5": "cannot be read|holds no frames",
    "a.npy": "cannot be read",
    "a.nc": "cannot be read",
    "a.png": "cannot be read",
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_files_are_one_sentence(tmp_path, name):
    path = tmp_path / name
    _write(path)
    whole = path.read_bytes()
    with open_frames(path) as frames:
        frames.read(frames.names[0], 0, 1)
    for content in (b"", b"nonsense" * 8, whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(CorruptError, match=DAMAGES[name]) as caught:
            _read_first(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def _read_first(path: Path) -> None:
    with open_frames(path) as frames:
        frames.read(frames.names[0], 0, 1)


def _write(path: Path) -> None:
    if path.suffix == ".npy":
        np.save(path, U)
    elif path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file["u"], file["time"] = U, np.arange(5.0)
    elif path.suffix == ".nc":
        pytest.importorskip("h5netcdf")
        xarray = pytest.importorskip("xarray")
        xarray.Dataset({"u": (("time", "y", "x"), U)}).to_netcdf(path, engine="h5netcdf")
    else:
        pytest.importorskip("PIL.Image").fromarray((U[0] > 0).astype("u1")).save(path)


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [
        ("a.nc", "xarray", "io"),
        ("a.nc", "h5netcdf", "io"),
        ("a.zarr", "zarr", "io"),
        ("a.png", "PIL", "io"),
        ("a.fits", "astropy", "fits"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch, name, module, extra):
    real = importlib.import_module

    def absent(wanted, *more):
        if wanted.partition(".")[0] == module:
            raise ImportError(f"No module named {module!r}")
        return real(wanted, *more)

    monkeypatch.setattr(importlib, "import_module", absent)
    path = tmp_path / name
    path.mkdir() if name == "a.zarr" else path.write_bytes(b"x")
    with pytest.raises(UnsupportedError, match=rf"{module}.*pip install 'surrogate\[{extra}\]'"):
        open_frames(path)


def test_frame_file_is_the_reader_of_hdf5(tmp_path):
    _write(tmp_path / "a.h5")
    with open_frames(tmp_path / "a.h5") as frames:
        assert isinstance(frames, FrameFile)
