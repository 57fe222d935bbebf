"""Fields in CUDA memory: what libsurrogate is told of them. With stand-ins; engines/test_cuda.py needs a GPU."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from bundles import field
from flow_bundle import FLOW_FIELDS, affine

from surrogate import Surrogate, _native
from surrogate.errors import ArgumentError, DtypeError, UnsupportedError
from surrogate.facts import FieldInfo
from surrogate.state import Layout, state_of

SHAPE = (4, 6, 8)


class Interface:
    """Only ``__cuda_array_interface__``, over host memory that nobody may read."""

    def __init__(self, shape=SHAPE, typestr="<f4", strides=None, pointer=4096, **more):
        self.__cuda_array_interface__ = {
            "shape": shape,
            "typestr": typestr,
            "strides": strides,
            "data": (pointer, False),
            "version": 3,
            **more,
        }


class OnDevice(Interface):
    """And which device it is."""

    def __dlpack_device__(self):
        return (2, 3)


@pytest.fixture
def layout():
    kinds = [(f["name"], f["components"], f["prediction"] is not None) for f in FLOW_FIELDS]
    fields = [
        FieldInfo(name=name, unit="1", components=n, staggering="cell", predicted=predicted)
        for name, n, predicted in kinds
    ]
    return Layout(tuple(fields), 2)


def reads(value, layout):
    state = state_of(value, layout, None)
    return state.reads(state.current)


def test_an_interface_is_handed_over_by_pointer_strides_and_device(layout):
    given = OnDevice(strides=(1024, 64, 4), pointer=65536)
    array, channel_axis, batch_axis = reads(given, layout)
    assert isinstance(array, _native.DeviceArray)
    assert (array.pointer, array.typestr, array.device) == (65536, "<f4", 3)
    assert (array.shape, array.strides) == (list(SHAPE), [1024, 64, 4])
    assert (channel_axis, batch_axis) == (0, -1)
    assert array.owner is given
    assert array.writeable


def test_a_dense_interface_has_no_strides(layout):
    array, channel_axis, batch_axis = reads(Interface((2, *SHAPE), "<f8"), layout)
    assert array.strides == [4 * 6 * 8 * 8, 6 * 8 * 8, 8 * 8, 8]
    assert (channel_axis, batch_axis, array.device) == (1, 0, 0)


def test_named_fields_are_handed_over_one_by_one(layout):
    given = {
        "rho": Interface((6, 8), pointer=4096),
        "v": Interface((2, 6, 8), pointer=8192),
        "mask": Interface((6, 8), pointer=12288),
    }
    entries = {entry[0]: entry for entry in reads(given, layout)}
    assert [entries[name][2].pointer for name in given] == [4096, 8192, 12288]
    assert entries["v"][3:] == (0, -1)
    state = state_of(given, layout, None)
    written = {entry[0]: entry[2] for entry in state.writes(state.target(given))}
    assert (written["v"].pointer, written["mask"]) == (8192, None)


@pytest.mark.parametrize(
    ("given", "expected"), [(None, 0), (1, 0), (2, 2), (0x7F00, 0x7F00)], ids=str
)
def test_the_interfaces_stream_goes_with_the_call(layout, given, expected):
    assert state_of(Interface(stream=given), layout, None).stream == expected
    fields = {"rho": Interface((6, 8)), "v": Interface((2, 6, 8)), "mask": Interface((6, 8))}
    assert state_of(fields | {"v": Interface((2, 6, 8), stream=given)}, layout, None).stream == expected  # fmt: skip
    assert state_of(np.zeros(SHAPE), layout, None).stream == 0


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ({"typestr": "<f2"}, DtypeError, "has dtype <f2; expected float32 or float64"),
        ({"mask": object()}, ArgumentError, "masked"),
        ({"data": None}, ArgumentError, "__cuda_array_interface__ cannot be read"),
        ({"shape": None}, ArgumentError, "__cuda_array_interface__ cannot be read"),
    ],
    ids=["dtype", "mask", "data", "shape"],
)
def test_an_interface_that_cannot_be_read_is_refused(layout, wrong, error, text):
    with pytest.raises(error, match=text):
        reads(Interface(**wrong), layout)


class Module(SimpleNamespace):
    """A stand-in for cupy: arrays that say where they are, one current stream a device."""


def fake_cupy():
    class Device:
        current = None

        def __init__(self, number):
            self.id = number

        def __enter__(self):
            Device.current = self.id

        def __exit__(self, *error):
            Device.current = None

    class ndarray:  # noqa: N801
        def __init__(self, shape, dtype, device=1):
            self.shape, self.dtype, self.ndim = tuple(shape), np.dtype(dtype), len(shape)
            self.strides = np.empty(self.shape, dtype).strides
            self.data, self.device = SimpleNamespace(ptr=256 * (1 + device)), Device(device)
            self.copied = []
            self.__cuda_array_interface__ = {}

        def __getitem__(self, index):
            return self

        def __setitem__(self, index, value):
            self.copied.append((index, value))

    stream = SimpleNamespace(get_current_stream=lambda: SimpleNamespace(ptr=100 + Device.current))
    return Module(
        __name__="cupy",
        ndarray=ndarray,
        from_dlpack=lambda value: ndarray(value.shape, "f4", 2),
        cuda=stream,
        empty=lambda shape, dtype: ndarray(shape, dtype, Device.current),
        zeros=lambda shape, dtype: ndarray(shape, dtype, Device.current),
    )


def test_new_arrays_of_cupy_are_made_on_its_device(layout, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", cupy := fake_cupy())
    state = state_of(given := cupy.ndarray(SHAPE, "f8", device=1), layout, None)
    target = state.empty()
    assert isinstance(target, cupy.ndarray)
    assert (target.shape, target.dtype, target.device.id) == (SHAPE, np.float64, 1)
    assert target.copied == [((..., slice(3, 4), slice(None), slice(None)), given)]  # the mask
    assert state.wrap(target) is target
    assert (state.stream, state.writes(target)[0].device) == (101, 1)
    assert state.blank().shape == SHAPE
    assert state.empty_members(5).shape == (5, *SHAPE)
    with pytest.raises(DtypeError, match="dtype float16"):
        state_of(cupy.ndarray(SHAPE, "f2"), layout, None)


class Exchange:
    """An array of a library that has DLPack only."""

    shape = SHAPE

    def __dlpack_device__(self):
        return (2, 2)

    def __dlpack__(self, **options):
        raise AssertionError("the stand-in for cupy asks nothing")


def test_dlpack_on_a_device_is_read_by_the_library_that_is_there(layout, monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    with pytest.raises(UnsupportedError, match="DLPack only; import torch or cupy"):
        reads(Exchange(), layout)
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy())
    array, *_ = reads(Exchange(), layout)
    assert (array.device, array.pointer, array.typestr) == (2, 256 * 3, "<f4")


def test_a_model_on_the_cpu_says_where_the_fields_must_be(flow):
    with Surrogate.open(flow) as model:
        with pytest.raises(UnsupportedError, match="fields must be in host memory"):
            model.predict(Interface(), out=Interface(pointer=65536))
        with pytest.raises(UnsupportedError, match=r"only its.*is known; call predict with out="):
            model.predict(Interface())
        with pytest.raises(
            ArgumentError, match=r"output in host memory and input in memory of cuda:3"
        ):
            model.predict(OnDevice(), out=np.zeros(SHAPE, "f4"))
        with pytest.raises(ArgumentError, match="read-only"):
            model.predict(Interface(), out=Interface(data=(65536, True)))
        mixed = {"rho": np.zeros((6, 8), "f4"), "v": OnDevice((2, 6, 8)), "mask": Interface((6, 8))}
        with pytest.raises(ArgumentError, match="memory of cuda:3 given, expected host memory"):
            model.predict(mixed, out=mixed)
        assert model.statistics.ok == 0


def test_a_stochastic_model_tells_of_ensembles_on_a_device(make):
    noise = [{"name": "xi", "channels": 1}]
    bundle = make("noisy", [field("u")], affine([1.0], noise=0.5), noise=noise)
    given = Interface((6, 8))
    with Surrogate.open(bundle) as model, pytest.raises(UnsupportedError, match="needed, and only"):
        model.predict(given, members=2, step=0)
