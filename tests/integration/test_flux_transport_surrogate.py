"""flux_transport with a surrogate in its loop, through the Fortran API."""

import re

import numpy as np
import pytest
from bundles import field, stub_bundle
from integration.flux_transport_tools import PATCH, read, solve, start

HOURS = 4.0


def condition(name, unit):
    return field(name, unit=unit) | {"prediction": None}


def bundle(folder, channel, scale, *, step=HOURS, extra=(), **more):
    """br at t2 = br at t1 + scale * channel of vlat_mean, br, source, vlon."""
    fields = [
        condition("vlat_mean", "m/s"),
        field("br", unit="G"),
        condition("source", "G/h"),
        condition("vlon", "m/s"),
        *extra,
    ]
    program = {"operation": "affine", "channels": [channel], "scale": [scale], "offset": [0.0]}
    return stub_bundle(folder, fields, program, time={"step": step, "unit": "h"}, **more)


def jump(bundle_path, path, ranks=1, **options):
    run = {"frames": 3, "seed": 4, "ephemerals": 5000, "surrogate": bundle_path}
    return solve(**PATCH, **run, ranks=ranks, output=path, **options)


@pytest.mark.parametrize(
    "channel", [0, 2, pytest.param(3, marks=pytest.mark.full)], ids=["vlat_mean", "source", "vlon"]
)
def test_conditions_are_those_of_the_interval_that_is_jumped(tmp_path, channel):
    report = jump(bundle(tmp_path / "b.surrogate", channel, 0.25), tmp_path / "f.h5")
    assert report["surrogate"]["accepted"] == 2
    assert report["surrogate"]["rejected"] == 0
    assert report["steps_per_interval"] == [0, 0, 0]
    frames = read(tmp_path / "f.h5")
    change = 0.25 * frames[{0: "vlat_mean", 2: "source", 3: "vlon"}[channel]][:2]
    assert np.abs(change).max() > 1
    np.testing.assert_allclose(np.diff(frames["br"], axis=0), change, rtol=1e-5, atol=1e-6)


def test_many_ranks_jump_to_the_same_frame(tmp_path):
    moving = bundle(tmp_path / "b.surrogate", 0, 0.1)
    jump(moving, tmp_path / "one.h5")
    report = jump(moving, tmp_path / "two.h5", ranks=2, surrogate_mode="tiles")
    assert report["surrogate"]["mode"] == "tiles"
    one, two = read(tmp_path / "one.h5"), read(tmp_path / "two.h5")
    np.testing.assert_allclose(two["br"], one["br"], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_refused_interval_is_stepped(tmp_path, ranks):
    refusing = bundle(tmp_path / "b.surrogate", 0, 0.1, guards={"bounds": {"br": {"upper": -1e6}}})
    report = jump(refusing, tmp_path / "refused.h5", ranks=ranks)
    assert report["surrogate"]["rejected"] == 2
    assert report["surrogate"]["accepted"] == 0
    assert report["steps_per_interval"][1] > 0
    solve(**PATCH, frames=3, seed=4, ephemerals=5000, output=tmp_path / "native.h5")
    native, refused = read(tmp_path / "native.h5"), read(tmp_path / "refused.h5")
    np.testing.assert_array_equal(refused["br"], native["br"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"step": 3.0}, "jumps by 3.0* h, the frames are 4.0* h apart"),
        ({"extra": [condition("bz", "G")]}, "wants the field bz; this program has br, vlon"),
    ],
    ids=["interval", "field"],
)
def test_a_model_for_something_else_is_refused(tmp_path, options, said):
    other = bundle(tmp_path / "other.surrogate", 0, 0.0, **options)
    done = start(**PATCH, frames=2, surrogate=other)
    assert done.returncode == 2
    assert done.stderr.count("flux_transport:") == 1
    assert re.search(said, done.stderr)


def test_a_missing_bundle_is_one_clear_message(tmp_path):
    done = start(**PATCH, frames=2, surrogate=tmp_path / "nowhere.surrogate")
    assert done.returncode == 2
    assert "nowhere.surrogate" in done.stderr
