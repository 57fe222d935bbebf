"""Every guard and every policy: libsurrogate decides and writes as the numpy oracle does."""

import json
import logging

import numpy as np
import pytest
from bundles import field
from flow_bundle import affine

from surrogate import Rejected, Surrogate, errors
from surrogate.bundle.manifest import Manifest
from surrogate.reference import denormalise, normalise
from surrogate.reference_guards import judge

SCALE, OFFSET = [0.5, -0.25, 2.0], [0.1, 0.0, -0.3]
TRAINED = {
    "trained_range": [(0.0, 2.0)],
    "trained_statistics": {"mean": [(1.0, 0.05)], "std": [(0.5, 0.05)]},
    "trained_jump": [0.2],
}
PAIR = {
    "trained_range": [(0.0, 2.0), (-1.0, 3.0)],
    "trained_statistics": {"mean": [(1.0, 0.05)] * 2, "std": [(0.5, 0.05)] * 2},
    "trained_jump": [0.2, 1.0],
}
FIELDS = [
    field("rho", mean=1.5, std=0.5, scale=0.25, conserved=True, **TRAINED),
    field("v", components=2, mean=0.1, std=2.0, scale=0.75, **PAIR),
    field("mask", prediction=None, **TRAINED),
]
CASES = {
    "range": {"range": {"share": 0.05}},
    "range, most outside": {"range": {"share": 0.5}},
    "statistics": {"statistics": {"distance": 2.0}},
    "statistics, wide": {"statistics": {"distance": 1e3}},
    "conserved": {"conserved": {"tolerance": 0.01}},
    "conserved, wide": {"conserved": {"tolerance": 10.0}},
    "jump": {"jump": {"upper": 0.5}},
    "jump too small": {"jump": {"lower": 2.0}},
    "jump, wide": {"jump": {"lower": 0.0, "upper": 1e3}},
    "bounds": {"bounds": {"rho": {"lower": 0.5}, "v": {"upper": 2.0}}},
    "clip": {"bounds": {"v": {"lower": -9.0, "upper": 9.0}}, "policy": {"bounds": "clip"}},
    "clip, many": {"bounds": {"rho": {"lower": -0.55}}, "policy": {"bounds": "clip"}},
    "project": {"conserved": {"tolerance": 0.01}, "policy": {"conserved": "project"}},
    "project without a tolerance": {"policy": {"conserved": "project"}},
    "clip and project": {
        "bounds": {"rho": {"lower": -0.55, "upper": 3.2}},
        "policy": {"bounds": "clip", "conserved": "project"},
    },
    "clip and jump": {
        "bounds": {"rho": {"lower": -0.55}},
        "jump": {"upper": 0.5},
        "policy": {"bounds": "clip"},
    },
    "keep all": {
        "range": {"share": 0.0},
        "statistics": {"distance": 0.1},
        "conserved": {"tolerance": 0.0},
        "jump": {"upper": 0.0},
        "bounds": {"v": {"upper": 1.5}},
        "policy": dict.fromkeys(["range", "statistics", "conserved", "jump", "bounds"], "keep"),
    },
    "keep one, refuse another": {
        "range": {"share": 0.0},
        "jump": {"upper": 0.0},
        "policy": {"range": "keep"},
    },
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A bundle with all data that guards need, and none of them but `finite`."""
    from bundles import stub_bundle

    program = affine(SCALE, OFFSET)
    return stub_bundle(tmp_path_factory.mktemp("guards") / "plain.surrogate", FIELDS, program)


def oracle(bundle, guards, states):
    sheet = Manifest.read(bundle / "manifest.json").model_dump()
    sheet["guards"] = {**sheet["guards"], **guards}
    manifest = Manifest.model_validate(sheet)
    scale = np.reshape(np.float32(SCALE), (1, 3, 1, 1)).astype(float)
    y = normalise(manifest, states)[:, :3] * scale + np.reshape(OFFSET, (1, 3, 1, 1))
    return judge(manifest, states, denormalise(manifest, states, y))


def states_of(dtype, batch=2, ny=18, nx=23, seed=0):
    """States near the trained ones, -0.52 to 3.12: (B, 4, ny, nx); the last has the largest values."""
    u = np.random.default_rng(seed).normal(1.0, 0.5, (batch, 4, ny, nx)).clip(-0.4, 2.4)
    u *= np.linspace(1.0, 1.3, batch).reshape(-1, 1, 1, 1)
    return u.astype(dtype)


def check_agreement(bundle, guards, states, given=None):
    """Predict with the library; compare verdict, reasons, counters and frame with the oracle."""
    expected = oracle(bundle, guards, states)
    out = np.full_like(states, 7.0)
    with Surrogate.open(bundle, guards=guards) as model:
        found = expected.rejection
        if found is not None:
            with pytest.raises(Rejected) as caught:
                model.predict(states if given is None else given, out=out)
            rejection = caught.value.rejection
            assert (rejection.reason, rejection.field) == (found.reason, found.field)
            assert (rejection.component, rejection.batch) == (found.component, found.batch)
            if found.guard not in ("finite", "bounds"):
                assert rejection.value == pytest.approx(found.value, rel=1e-4)
            assert (out == 7.0).all()
            assert model.statistics.rejected_by == {found.reason: 1}
            assert model.statistics.kept_by == {}
            return
        model.predict(states if given is None else given, out=out)
        np.testing.assert_allclose(out[:, :3], expected.frame[:, :3], rtol=0, atol=2e-5)
        counters = model.statistics
        assert counters.kept_by == dict.fromkeys(expected.kept, 1)
        assert counters.clipped_cells == expected.clipped
        assert counters.projections == expected.projections
        assert counters.rejected_by == {}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("batch", [1, 3])
def test_the_library_decides_as_the_oracle(plain, case, dtype, batch):
    check_agreement(plain, CASES[case], states_of(dtype, batch))


@pytest.mark.parametrize("case", CASES)
def test_strides_and_ghost_cells_do_not_change_the_decision(plain, case):
    states = states_of("float64")
    padded = np.full((2, 4, 18 + 4, 2 * 23 + 6), np.nan)
    view = padded[:, :, 2:-2, 3:-3:2]
    view[...] = states
    check_agreement(plain, CASES[case], states, view)


@pytest.mark.parametrize("case", ["project", "clip and project"])
@pytest.mark.parametrize("nx", [23, 32])
def test_the_frame_has_the_same_bits_in_every_layout(plain, case, nx):
    states = states_of("float64", nx=nx)
    padded = np.full((2, 4, 18 + 4, 2 * nx + 6), np.nan)
    view = padded[:, :, 2:-2, 3:-3:2]
    view[...] = states
    with Surrogate.open(plain, guards=CASES[case]) as model:
        np.testing.assert_array_equal(model.predict(view), model.predict(states))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_projection_keeps_the_integral(plain, dtype):
    states = states_of(dtype, ny=64, nx=64)
    with Surrogate.open(plain, guards=CASES["project"]) as model:
        frames = model.predict(states)
    with Surrogate.open(plain) as model:
        free = model.predict(states)
    drift = np.abs(_integral(frames[:, 0]) / _integral(states[:, 0]) - 1)
    assert (drift < np.finfo(dtype).eps).all()
    assert (np.abs(_integral(free[:, 0]) / _integral(states[:, 0]) - 1) > 1e-3).all()
    np.testing.assert_array_equal(frames[:, 1:], free[:, 1:])  # no other field is touched


def _integral(u):
    return np.asarray(u, np.float64).sum(axis=(1, 2))


def test_project_in_place_gives_the_same_frame(plain):
    states = states_of("float64")
    with Surrogate.open(plain, guards=CASES["clip and project"]) as model:
        expected = model.predict(states)
        model.predict(states, out=states)
    np.testing.assert_array_equal(states, expected)


def test_a_frame_that_replaces_the_state_is_judged_by_its_change(make):
    prediction = {"kind": "frame", "scale": [0.25], "offset": [1.0]}
    entry = field("rho", prediction=prediction, conserved=True, **TRAINED)
    bundle = make("frame", [entry], affine([0.5]))
    states = states_of("float64")[:, :1]
    manifest = Manifest.read(bundle / "manifest.json")
    for guards in (CASES["conserved"], CASES["jump"], CASES["jump too small"], CASES["project"]):
        full = Manifest.model_validate({**manifest.model_dump(), "guards": guards})
        expected = judge(full, states, 1.0 + 0.25 * 0.5 * states)
        with Surrogate.open(bundle, guards=guards) as model:
            if expected.rejection is None:
                np.testing.assert_allclose(model.predict(states), expected.frame, atol=1e-6)
            else:
                with pytest.raises(Rejected) as caught:
                    model.predict(states)
                assert caught.value.reason == expected.rejection.reason
                assert caught.value.value == pytest.approx(expected.rejection.value, rel=1e-5)


@pytest.mark.parametrize("side", ["input", "output"])
def test_values_that_are_not_finite_are_found_first(make, side):
    fault = {"fail": "nan", "after": 1} if side == "output" else {}
    bundle = make("broken", FIELDS, affine(SCALE, OFFSET, **fault))
    states = states_of("float64")
    if side == "input":
        states[1, 2, 3, 4] = np.inf
    model = Surrogate.open(bundle, guards=CASES["clip and project"] | {"range": {"share": 0.9}})
    with model, pytest.raises(Rejected) as caught:
        model.predict(states)
    assert caught.value.reason == f"{side.upper()}_NOT_FINITE"
    if side == "input":
        assert (caught.value.field, caught.value.cell) == ("v", (3, 4))
        assert (caught.value.component, caught.value.rejection.batch) == (1, 1)


def test_kept_values_that_are_not_finite_reach_the_frame_and_are_counted(plain):
    states = states_of("float64")
    states[0, 1, 2, 3] = np.nan
    with Surrogate.open(plain, guards={"policy": {"finite": "keep"}}) as model:
        frame = model.predict(states)
        kept = model.statistics.kept_by
    assert np.isnan(frame[0, 1, 2, 3])
    assert np.isnan(frame).sum() == 1
    assert kept == {"INPUT_NOT_FINITE": 1, "OUTPUT_NOT_FINITE": 1}


def test_a_nan_statistic_is_refused_rather_than_passed(plain):
    states = states_of("float64")
    states[0, 1, 2, 3] = np.nan
    for key, limits in (("statistics", {"distance": 1e9}), ("jump", {"upper": 1e9})):
        model = Surrogate.open(plain, guards={"finite": False, key: limits})
        with model, pytest.raises(Rejected, match="nan"):
            model.predict(states)


def test_each_policy_is_logged_once(plain, caplog):
    states = states_of("float64")
    caplog.set_level(logging.WARNING, logger="surrogate")
    with Surrogate.open(plain, guards=CASES["keep all"]) as model:
        model.predict(states)
        model.predict(states)
    texts = [record.getMessage() for record in caplog.records]
    assert len(texts) == len(set(texts)) == 6
    assert sum("INPUT_OUT_OF_RANGE" in text for text in texts) == 1
    caplog.clear()
    with Surrogate.open(plain, guards=CASES["clip and project"]) as model:
        model.predict(states)
        model.predict(states)
    assert ["clip" in r.getMessage() or "project" in r.getMessage() for r in caplog.records] == [
        True,
        True,
    ]


def test_the_text_says_what_number_broke_which_limit(plain):
    with Surrogate.open(plain, guards=CASES["conserved"]) as model:
        with pytest.raises(Rejected, match=r"predicted field 'rho' does not keep its integral"):
            model.predict(states_of("float64", 1))
        assert model.last_rejection.upper == 0.01
    text = r"of state 1 \(distance .*allowed: at most 2\)"
    model = Surrogate.open(plain, guards=CASES["statistics"])
    with model, pytest.raises(Rejected, match=text):
        model.predict(states_of("float64"))


def test_guards_are_read_from_a_file(plain, tmp_path):
    path = tmp_path / "guards.json"
    path.write_text(json.dumps(CASES["conserved"]))
    for given in (path, str(path)):
        with Surrogate.open(plain, guards=given) as model, pytest.raises(Rejected):
            model.predict(states_of("float64"))
    with pytest.raises(errors.NotFoundError, match=r"guards.json.*cannot be read"):
        Surrogate.open(plain, guards=tmp_path / "none" / "guards.json")
    path.write_text("{")
    with pytest.raises(errors.ArgumentError, match=r"options\.guards \(.*guards\.json\)"):
        Surrogate.open(plain, guards=path)


def test_null_removes_a_guard_of_the_manifest(make):
    guards = {**CASES["conserved"], **CASES["jump"], "bounds": {"rho": {"upper": 0.0}}}
    bundle = make("strict", FIELDS, affine(SCALE, OFFSET), guards=guards)
    off = {"conserved": None, "jump": None, "bounds": None}
    with Surrogate.open(bundle, guards=off) as model:
        model.predict(states_of("float64"))
    for key in off:
        rest = {other: None for other in off if other != key}
        with Surrogate.open(bundle, guards=rest) as model, pytest.raises(Rejected):
            model.predict(states_of("float64"))


@pytest.mark.parametrize(
    ("guards", "text"),
    [
        ({"range": {"shares": 1}}, "shares"),
        ({"range": {"share": -1}}, "at least 0"),
        ({"statistics": {}}, "distance"),
        ({"jump": {"lower": 2, "upper": 1}}, "above upper"),
        ({"policy": {"range": "clip"}}, "'clip' is a policy of guard 'bounds' only"),
        ({"policy": {"finite": "project"}}, "'project' is a policy of guard 'conserved' only"),
        ({"policy": {"bounds": "cut"}}, "reject"),
        ({"policy": {"gaurds": "keep"}}, "gaurds"),
    ],
)
def test_guards_that_make_no_sense_are_refused_at_open(plain, guards, text):
    with pytest.raises(errors.ArgumentError, match=text):
        Surrogate.open(plain, guards=guards)
    sheet = Manifest.read(plain / "manifest.json").model_dump()
    with pytest.raises(ValueError, match="guards"):
        Manifest.model_validate({**sheet, "guards": guards})


@pytest.mark.parametrize(
    "guards",
    [
        {"range": {"share": 0.1}},
        {"statistics": {"distance": 1.0}},
        {"conserved": {"tolerance": 0.1}},
        {"jump": {"upper": 1.0}},
        {"spread": {"upper": 1.0}},
        {"policy": {"conserved": "project"}},
    ],
)
def test_a_guard_without_data_is_refused_at_open(make, guards):
    bundle = make("bare", [field("u")], affine([1.0]))
    with pytest.raises(errors.ArgumentError, match="needs"):
        Surrogate.open(bundle, guards=guards)
    sheet = Manifest.read(bundle / "manifest.json").model_dump()
    with pytest.raises(ValueError, match="needs"):
        Manifest.model_validate({**sheet, "guards": guards})
