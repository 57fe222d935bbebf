"""Generative models from Python: steps, guidance, captions and members, also in recordings and commands."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from flow_bundle import affine
from sampled import GUIDANCE, MEMBERS, PRESET, STEPS, VOCABULARY, sampler_manifest
from typer.testing import CliRunner

from surrogate import Rejected, Surrogate, errors
from surrogate.bundle.folder import write_bundle
from surrogate.bundle.manifest import Manifest
from surrogate.bundle.sampler import Text
from surrogate.cli import app
from surrogate.reference import reference
from surrogate.text import caption_of, tokens

FILE = "programs/stub.json"
SHAPE = (2, 4, 6)
DRAW = {"step": 3, "seed": 5}


def stub_sampler(folder: Path, *, broken: int | None = None, **more: object) -> Path:
    """u' = u + scale (steps + noise / 2 + guidance / 8 + word0 + 10 word1 + 100 word2) by the stub engine.

    That of `broken` steps gives NaN after its first run.
    """
    methods = {f"steps_{n}": {"offset": [float(n)] * 2} for n in STEPS}
    if broken is not None:
        methods[f"steps_{broken}"] |= {"fail": "nan", "after": 1}  # type: ignore[dict-item]
    stub = affine([0.0, 0.0], noise=0.5, weights=[0.125, 1.0, 10.0, 100.0], methods=methods)
    programs = [
        {
            "name": f"stub_{n}",
            "engine": "stub",
            "format": "stub",
            "file": FILE,
            "steps": n,
            "method": f"steps_{n}",
        }
        for n in sorted(STEPS, key=lambda n: n != PRESET)
    ]
    write_bundle(folder, {FILE: json.dumps(stub).encode()}, **sampler_manifest(programs, **more))
    return folder


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return stub_sampler(tmp_path_factory.mktemp("sampler") / "sampled.surrogate")


@pytest.fixture
def model(bundle):
    with Surrogate.open(bundle) as opened:
        yield opened


@pytest.fixture
def state():
    return np.random.default_rng(0).normal(size=SHAPE)


def test_the_facts_of_a_sampler_are_told(model):
    info = model.info
    assert info.sampler == "flow, euler"
    assert (info.steps, info.preset_steps) == (tuple(STEPS), PRESET)
    assert (info.largest_members, info.largest_guidance, info.caption_length) == (
        MEMBERS,
        GUIDANCE,
        3,
    )


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"steps": 1},
        {"steps": 4, "guidance": 2.5},
        {"steps": PRESET, "caption": "a Red thing"},
        {"parameters": {"guidance": 2.0}, "caption": ""},
        {"parameters": {}, "guidance": 0.0},
        {"parameters": [1.5]},
    ],
)
def test_frames_are_those_of_the_reference(bundle, model, state, asked):
    frame = model.predict(state, **DRAW, **asked)
    parameters = asked.get("parameters")
    row = [parameters["guidance"]] if isinstance(parameters, dict) and parameters else parameters
    given = {key: value for key, value in asked.items() if key != "parameters"}
    expected = reference(bundle, state, parameters=row or None, **DRAW, **given)
    np.testing.assert_allclose(frame, expected, rtol=1e-6, atol=1e-6)


def test_every_kind_of_call_takes_them(bundle, model, state):
    asked = {"steps": 4, "guidance": 2.0, "caption": "red circle"}
    once = model.predict(state, **DRAW, **asked)
    assert np.array_equal(model.predict_begin(state, **DRAW, **asked).wait(), once)
    members = model.predict_members(state, 3, **DRAW, **asked)
    assert np.array_equal(members[0], once)
    ensemble = model.predict(state, members=3, **DRAW, **asked)
    np.testing.assert_allclose(ensemble.mean, members.mean(axis=0), rtol=1e-5)
    asked["sampler_steps"] = asked.pop("steps")
    rolled = model.rollout(state, 2, **DRAW, **asked)
    assert np.array_equal(rolled[0], once)
    assert np.array_equal(
        model.predict(once, step=4, seed=5, steps=4, guidance=2.0, caption="red circle"), rolled[1]
    )


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"steps": 3}, r"expected one of \[1, 2, 4\]"),
        ({"guidance": 3.5}, "'guidance': 3.5 given, expected 0 to 3"),
        ({"guidance": 1.0, "parameters": [1.0]}, "give it once"),
        ({"guidance": 1.0, "parameters": {"guidance": 1.0}}, "give it once"),
        ({"caption": "a red red circle"}, "4 words given, expected at most 3"),
        ({"members": MEMBERS + 1}, "expected at most 8"),
        ({"step": None}, "step"),
    ],
)
def test_what_the_bundle_does_not_hold_is_an_error_that_names_it(model, state, asked, names):
    with pytest.raises(errors.ParameterError, match=names):
        model.predict(state, **{**DRAW, **asked})


def test_steps_below_one_are_no_number_of_steps(model, state):
    with pytest.raises(errors.ArgumentError, match="steps=0"):
        model.predict(state, steps=0, **DRAW)


def test_samples_that_are_not_finite_are_refused(tmp_path, state):
    bundle = stub_sampler(tmp_path / "nan.surrogate", broken=4)
    with Surrogate.open(bundle) as model:
        for call in (model.predict, lambda x, **more: model.predict_members(x, 2, **more)):
            with pytest.raises(Rejected, match="not finite"):
                call(state, steps=4, **DRAW)
        assert np.isfinite(model.predict(state, **DRAW)).all()


def test_libsurrogate_reads_captions_as_python_does(model):
    """What the program saw of a caption stands in its frame; characters of every kind."""
    text = Text(length=3, vocabulary=VOCABULARY)
    state, scale = np.zeros((2, 4, 4)), 0.02
    plain = model.predict(state, **DRAW)[0, 0, 0]
    draw = random.Random(1)
    pieces = [
        *VOCABULARY,
        "A",
        "RED",
        "r\u0435d",
        ".",
        "+",
        "-",
        "\x7f",
        "\u212a",
        "\x00",
        "\ud800",
        "\U0001f600",
    ]
    for _ in range(300):
        words = [
            draw.choice(pieces) + draw.choice(["", " ", "\t", ",", "\u00a0"]) for _ in range(4)
        ]
        caption = "".join(words)
        try:
            ids = tokens(caption, text)
        except errors.ParameterError as error:
            with pytest.raises(errors.ParameterError, match=str(error)[:20]):
                model.predict(state, caption=caption, **DRAW)
            continue
        seen = (model.predict(state, caption=caption, **DRAW)[0, 0, 0] - plain) / scale
        assert round(seen) == ids[0] + 10 * ids[1] + 100 * ids[2], repr(caption)


def test_token_ids_have_a_caption():
    text = Text(length=4, vocabulary=VOCABULARY)
    for ids in ([2, 3, 4, 0], [1, 1, 2, 3], [0, 0, 0, 0]):
        assert tokens(caption_of(ids, text), text) == ids


def test_recorded_calls_are_replayed_with_their_steps_guidance_and_caption(bundle, tmp_path, state):
    file = tmp_path / "calls.h5"
    with Surrogate.open(bundle, record_calls=file) as model:
        model.predict(state, **DRAW)
        model.predict(state, steps=4, guidance=2.5, caption="a red", **DRAW)
        model.rollout(state, 2, sampler_steps=1, caption="circle", **DRAW)
        assert model.statistics.record_errors == 0
    result = CliRunner().invoke(app, ["verify", str(bundle), "--replay", str(file), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["calls"] == 4


def test_the_command_line_takes_them(bundle, tmp_path, state):
    source, target = tmp_path / "now.npy", tmp_path / "next.npy"
    np.save(source, state)
    asked = ["--guidance", "2", "--caption", "a red", "--step", "3", "--seed", "5"]
    run = CliRunner().invoke
    once = run(app, ["predict", str(bundle), str(source), str(target), "--steps", "4", *asked])
    assert once.exit_code == 0, once.output
    with Surrogate.open(bundle) as model:
        expected = model.predict(state, steps=4, guidance=2.0, caption="a red", **DRAW)
    assert np.array_equal(np.load(target), expected)
    series = [
        "rollout",
        str(bundle),
        str(source),
        str(target),
        "--steps",
        "2",
        "--sampler-steps",
        "4",
    ]
    rolled = run(app, [*series, *asked])
    assert rolled.exit_code == 0, rolled.output
    assert np.array_equal(np.load(target)[0], expected)
    wrong = run(app, ["predict", str(bundle), str(source), str(target), "--steps", "3", *asked])
    assert wrong.exit_code == 2
    assert "[1, 2, 4]" in wrong.output
    shown = run(app, ["info", str(bundle)], env={"COLUMNS": "200"})
    assert "flow, euler; steps 1, 2, 4 (preset 2); up to 8 members; guidance 0 … 3" in shown.stdout
    assert "captions of up to 3 words, of 3 known" in shown.stdout


def test_a_deterministic_model_takes_none_of_them(tmp_path, state):
    more = {"sampler": None, "text": None, "parameters": []}
    programs = [{"name": "stub", "engine": "stub", "format": "stub", "file": FILE}]
    folder = tmp_path / "plain.surrogate"
    files = {FILE: json.dumps(affine([1.0, 1.0])).encode()}
    write_bundle(folder, files, **sampler_manifest(programs, **more))
    with Surrogate.open(folder) as model:
        assert (model.info.steps, model.info.sampler) == ((), "")
        for asked in ({"steps": 2}, {"guidance": 1.0}, {"caption": "red"}):
            with pytest.raises(errors.ParameterError, match="'sampled'"):
                model.predict(state, **DRAW, **asked)
    assert Manifest.read(folder / "manifest.json").sampler is None
