"""Fields in CUDA memory through the C API: the frame of the host's path, on the caller's stream, with nothing copied.

Every test here needs a GPU and a torch with CUDA, and skips without them.
"""

from __future__ import annotations

import ctypes as c
from pathlib import Path

import numpy as np
import pytest
from engines.torchscript import bundle_of, engine_folder, traced

from surrogate import Surrogate, paths

torch = pytest.importorskip("torch", reason="torch is missing: pip install torch==2.13.0")
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

CUDA, FLOAT32, CHANNELS = 1, 1, 2


class Field(c.Structure):
    _fields_ = (
        ("name", c.c_char_p),
        ("unit", c.c_char_p),
        ("data", c.c_void_p),
        *((name, c.c_int32) for name in ("dtype", "memory", "device", "rank")),
        ("component_axis", c.c_int32),
        ("batch_axis", c.c_int32),
        ("shape", c.c_int64 * 6),
        ("strides", c.c_int64 * 6),
        ("reserved", c.c_void_p * 2),
    )


class Step(c.Structure):
    _fields_ = (
        ("struct_size", c.c_size_t),
        ("step", c.c_int64),
        ("time", c.c_double),
        ("seed", c.c_uint64),
        ("member", c.c_int64),
        ("parameters", c.c_void_p),
        ("parameter_count", c.c_size_t),
        ("origin", c.c_int64 * 3),
        ("global_shape", c.c_int64 * 3),
        ("stream", c.c_void_p),
    )


class Open(c.Structure):
    """The members that are needed, at their places in ``surrogate_open_options``."""

    _fields_ = (
        ("struct_size", c.c_size_t),
        ("engine", c.c_char_p),
        ("program", c.c_char_p),
        ("device", c.c_char_p),
        ("precision", c.c_char_p),
        ("threads", c.c_int32),
        ("verify", c.c_int32),
        ("guards", c.c_char_p),
        ("engine_path", c.c_char_p),
    )


class Model:
    """A model on the first GPU."""

    def __init__(self, bundle: Path) -> None:
        self._library = c.CDLL(str(paths.library()))
        self._library.surrogate_last_error.restype = c.c_char_p
        options = Open()
        self._library.surrogate_open_options_init(c.byref(options), c.c_size_t(c.sizeof(Open)))
        options.device, options.engine_path = b"cuda:0", str(engine_folder()).encode()
        self._handle = c.c_void_p()
        self._check(
            self._library.surrogate_open(
                c.byref(self._handle), str(bundle).encode(), c.byref(options)
            )
        )

    def predict(self, output, given, stream=None) -> None:
        """Tensors of shape (C, ny, nx), any strides."""
        step = Step()
        self._library.surrogate_step_options_init(c.byref(step), c.c_size_t(c.sizeof(Step)))
        step.stream = None if stream is None else stream.cuda_stream
        fields = [_field(output), _field(given)]
        arguments = [c.byref(fields[0]), c.byref(fields[1]), c.c_size_t(1), c.byref(step)]
        self._check(self._library.surrogate_predict(self._handle, *arguments))

    def close(self) -> None:
        """Free it."""
        self._library.surrogate_close(self._handle)

    def _check(self, status: int) -> None:
        assert status == 0, self._library.surrogate_last_error().decode()


def _field(tensor) -> Field:
    made = Field(data=tensor.data_ptr(), dtype=FLOAT32, memory=CUDA, rank=3, batch_axis=-1)
    made.shape[:3] = tensor.shape
    made.strides[:3] = [4 * stride for stride in tensor.stride()]
    return made


@pytest.fixture
def bundle(tmp_path):
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(CHANNELS, 8, 3, padding=1),
        torch.nn.SiLU(),
        torch.nn.Conv2d(8, CHANNELS, 3, padding=1),
    )
    script = traced(net, channels=CHANNELS)
    return bundle_of(tmp_path / "net.surrogate", script, channels=CHANNELS)


@pytest.fixture
def model(bundle):
    opened = Model(bundle)
    yield opened
    opened.close()


def on_host(bundle: Path, given) -> np.ndarray:
    with Surrogate.open(bundle, engine_path=engine_folder()) as host:
        return np.asarray(host.predict(given.cpu().numpy()))


def test_frame_on_the_device_is_that_of_the_host(bundle, model):
    given = torch.randn(CHANNELS, 32, 48, device="cuda")
    output = torch.empty_like(given)
    model.predict(output, given)
    np.testing.assert_allclose(output.cpu(), on_host(bundle, given), rtol=1e-3, atol=1e-4)


def test_graphs_follow_changed_addresses_and_shapes(bundle, model):
    for ny in (16, 32, 16, 24, 40, 48, 16):  # more shapes than are kept
        given = torch.randn(CHANNELS, ny, 16, device="cuda")
        output = torch.empty_like(given)
        model.predict(output, given)
        np.testing.assert_allclose(output.cpu(), on_host(bundle, given), rtol=1e-3, atol=1e-4)


def test_work_is_ordered_on_the_callers_stream(bundle, model):
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        given = torch.zeros(CHANNELS, 32, 32, device="cuda")
        torch.cuda._sleep(50_000_000)
        given += 1.0  # late: a prediction on another stream would read zeros
        output = torch.empty_like(given)
        model.predict(output, given, stream)
        copied = output.clone()
    stream.synchronize()
    np.testing.assert_allclose(copied.cpu(), on_host(bundle, given), rtol=1e-3, atol=1e-4)


def test_current_device_is_put_back(model):
    if torch.cuda.device_count() < 2:
        pytest.skip("one CUDA device: a second is needed")
    torch.cuda.set_device(1)
    given = torch.randn(CHANNELS, 16, 16, device="cuda:0")
    model.predict(torch.empty_like(given), given)
    assert torch.cuda.current_device() == 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_python_predicts_on_the_device_and_returns_tensors_there(bundle, dtype):
    whole = torch.randn(CHANNELS, 32, 96, device="cuda", dtype=dtype)
    given, stream = whole[..., ::2], torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with (
        Surrogate.open(bundle, engine_path=engine_folder(), device="cuda:0") as model,
        torch.cuda.stream(stream),
    ):
        frame = model.predict(given)
        assert (frame.device, frame.dtype, frame.shape) == (given.device, dtype, given.shape)
        out = torch.zeros_like(given)
        assert model.predict(given, out=out) is out
        torch.testing.assert_close(out, frame, rtol=0, atol=0)
        frames = model.rollout(given, 2)
        torch.testing.assert_close(frames[0], frame, rtol=0, atol=0)
    stream.synchronize()
    np.testing.assert_allclose(frame.cpu(), on_host(bundle, given), rtol=1e-3, atol=1e-4)
