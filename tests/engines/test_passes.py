"""Packing, counting and writing by the engine, as for fields in CUDA memory, does what libsurrogate's passes do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bundles import field, manifest, stub_bundle
from engines.torchscript import PROGRAM, engine_folder, traced

from surrogate import Rejected, Surrogate, errors
from surrogate.bundle.folder import write_bundle

torch = pytest.importorskip("torch", reason="torch is missing: pip install torch==2.13.0")


class Mix(torch.nn.Module):
    """Three channels and a mask in, three out; every output depends on the mask and on its neighbour."""

    def forward(self, x):
        u, mask = x[:, :3], x[:, 3:]
        return (u.roll(1, dims=-1) * 0.5 + u.flip(1)) * (1 + mask)


FRAME = {"kind": "frame", "scale": [2.0, 0.25], "offset": [0.5, -1.0]}
FIELDS = [
    field("rho", mean=1.5, std=0.7, scale=0.3),
    field("v", components=2, mean=-0.2, std=3.0, prediction=FRAME),
    field("mask", prediction=None),
]
GUARDS = {"finite": True, "bounds": {"rho": {"lower": -50.0}, "v": {"lower": -90.0, "upper": 90.0}}}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The same model with the host's passes and with the engine's."""
    folder = tmp_path_factory.mktemp("passes") / "mix.surrogate"
    program = traced(Mix(), channels=4)
    document = manifest("mix", FIELDS, [PROGRAM], guards=GUARDS)
    write_bundle(folder, {PROGRAM["file"]: program}, **document)
    opened = [
        Surrogate.open(
            folder, engine_path=engine_folder(), engine_options={"passes": passes}, threads=1
        )
        for passes in ("host", "engine")
    ]
    yield opened
    for model in opened:
        model.close()


def random(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(dtype)


def state(dtype: str, *, batch: int | None = None) -> dict[str, np.ndarray]:
    leading = () if batch is None else (batch,)
    return {
        "rho": random((*leading, 1, 12, 10), dtype),
        "v": random((*leading, 2, 12, 10), dtype),
        "mask": random((*leading, 1, 12, 10), dtype),
    }


def assert_same(models, given, **options):
    expected, found = (model.predict(given, **options) for model in models)
    for name in ("rho", "v"):
        tolerance = 4 * np.finfo(given[name].dtype).eps
        np.testing.assert_allclose(found[name], expected[name], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_frames_are_equal(models, dtype):
    assert_same(models, state(dtype))


def test_frames_of_a_batch_are_equal(models):
    assert_same(models, state("float64", batch=3))


def test_strides_of_any_sign_are_read_and_written(models):
    given = state("float64")
    padded = np.zeros((3, 16, 14))
    padded[1:, 2:-2, 2:-2] = given["v"]
    given["v"] = padded[1:, 2:-2, 2:-2][:, ::-1, ::-1]
    given["rho"] = np.asfortranarray(given["rho"])
    expected = models[0].predict(given)
    target = np.full((2, 24, 10), -7.0)
    out = {"rho": np.empty((1, 12, 10)), "v": target[:, ::-2, ::-1], "mask": given["mask"]}
    models[1].predict(given, out=out)
    np.testing.assert_allclose(out["v"], expected["v"], rtol=1e-14)
    np.testing.assert_allclose(out["rho"], expected["rho"], rtol=1e-14)
    assert (target[:, ::2] == -7.0).all()  # between the rows nothing is written


def test_frame_may_be_written_over_its_input(models):
    given = state("float32")
    expected = models[0].predict(given)
    models[1].predict(given, out=given)
    np.testing.assert_allclose(given["rho"], expected["rho"], rtol=1e-6)


def spoil(name: str, index: tuple[int, ...], value: float):
    return lambda given: given[name].__setitem__(index, value)


@pytest.mark.parametrize(
    "change",
    [
        spoil("rho", (1, 0, 3, 4), np.nan),
        spoil("v", (2, 1, 11, 9), -np.inf),
        spoil("v", (0, 1, 0, 0), 90.5),
        spoil("rho", (2, 0, 5, 5), -50.5),
        spoil("mask", (1, 0, 0, 1), 1e4),  # the frame breaks its bounds
        spoil("mask", (1, 0, 0, 1), 3e38),  # the frame is not finite
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_refused_and_why_is_equal(models, dtype, change):
    given = state(dtype, batch=3)
    change(given)
    kept = {name: array.copy() for name, array in given.items()}
    found = []
    for model in models:
        with pytest.raises(Rejected) as refused:
            model.predict(given, out=given)
        found.append(refused.value.rejection)
        for name, array in kept.items():
            np.testing.assert_array_equal(given[name], array)
    host, engine = found
    for attribute in ("reason", "field", "component", "cell", "batch", "lower", "upper"):
        assert getattr(engine, attribute) == getattr(host, attribute), attribute
    np.testing.assert_allclose(engine.value, host.value, rtol=1e-6)


def test_values_that_only_normalisation_makes_infinite_are_refused_alike(tmp_path):
    folder = tmp_path / "tiny.surrogate"
    program = traced(torch.nn.Identity())
    document = manifest("tiny", [field("u", std=1e-10)], [PROGRAM])
    write_bundle(folder, {PROGRAM["file"]: program}, **document)
    for passes in ("host", "engine"):
        options = {"passes": passes}
        with (
            Surrogate.open(folder, engine_path=engine_folder(), engine_options=options) as model,
            pytest.raises(Rejected) as refused,
        ):
            model.predict(np.full((1, 4, 4), 1e30, np.float32))
        assert refused.value.rejection.reason == "INPUT_NOT_FINITE"


def test_engine_without_passes_says_so(tmp_path):
    program = {"operation": "affine", "scale": [1.0], "offset": [0.0], "channels": [0]}
    bundle = stub_bundle(tmp_path / "u.surrogate", [field("u")], program)
    with pytest.raises(errors.UnsupportedError, match="engine stub 1 has no passes of its own"):
        Surrogate.open(bundle, engine_options={"passes": "engine"})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"passes": "nowhere"}, "'host', 'engine'"),
        ({"graps": True}, '"graphs" (true, false)'),
        ({"graphs": "yes"}, '"graphs" (true, false)'),
        ({"tensorrt_library": ["a"]}, "plain texts"),
    ],
)
def test_option_of_the_engine_that_is_not_known_is_refused(tmp_path, options, words):
    folder: Path = tmp_path / "one.surrogate"
    document = manifest("one", [field("u")], [PROGRAM])
    write_bundle(folder, {PROGRAM["file"]: traced(torch.nn.Identity())}, **document)
    with pytest.raises(errors.ArgumentError) as refused:
        Surrogate.open(folder, engine_path=engine_folder(), engine_options=options)
    assert words in str(refused.value)
