"""What is refused and what breaks: each an exception that names it, the output untouched, the model usable after."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from bundles import field
from flow_bundle import affine, flow_state, named

from surrogate import Rejected, Surrogate, SurrogateError, errors
from surrogate.bundle.folder import check_bundle
from surrogate.bundle.manifest import Manifest


@pytest.fixture
def model(flow):
    with Surrogate.open(flow) as model:
        yield model


@pytest.fixture
def copy(flow, tmp_path):
    """A bundle that a test may damage."""
    return shutil.copytree(flow, tmp_path / "copy.surrogate")


def edit_manifest(folder, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


# ---- opening


def test_a_missing_bundle(tmp_path):
    with pytest.raises(errors.NotFoundError, match=r"nowhere\.surrogate: no such bundle") as caught:
        Surrogate.open(tmp_path / "nowhere.surrogate")
    assert isinstance(caught.value, FileNotFoundError)
    assert caught.value.status == -2


def test_a_folder_that_is_no_bundle(tmp_path):
    with pytest.raises(errors.NotFoundError, match=r"manifest\.json"):
        Surrogate.open(tmp_path)


def test_a_missing_file(copy):
    (copy / "programs/stub.json").unlink()
    with pytest.raises(errors.NotFoundError, match=r"stub\.json"):
        Surrogate.open(copy)


@pytest.mark.parametrize("read", [Surrogate.open, check_bundle], ids=["open", "check_bundle"])
def test_a_file_that_is_a_link_out_of_the_bundle(copy, tmp_path, read):
    (copy / "programs/stub.json").rename(tmp_path / "outside.json")
    (copy / "programs/stub.json").symlink_to(tmp_path / "outside.json")
    with pytest.raises(
        errors.CorruptError, match=r"link that leaves the bundle, to .*outside\.json"
    ):
        read(copy)


def test_a_truncated_manifest(copy):
    path = copy / "manifest.json"
    path.write_text(path.read_text()[:200])
    with pytest.raises(errors.CorruptError, match=r"manifest\.json") as caught:
        Surrogate.open(copy)
    assert isinstance(caught.value, ValueError)


def test_a_truncated_file(copy):
    path = copy / "programs/stub.json"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(errors.CorruptError, match=r"stub\.json"):
        Surrogate.open(copy)


def test_a_hash_mismatch(copy):
    path = copy / "programs/stub.json"
    path.write_bytes(path.read_bytes().replace(b"0.5", b"0.6"))
    with pytest.raises(errors.CorruptError, match=r"(?i)sha-?256"):
        Surrogate.open(copy)


def test_a_newer_schema(copy):
    edit_manifest(copy, lambda manifest: manifest["format"].update(version=99))
    with pytest.raises(errors.SchemaError, match="99"):
        Surrogate.open(copy)


@pytest.mark.parametrize(
    "bad", [b"", b"[]", b"null", b'{"format": 3}', b"\xff\xfe", b'{"format": {"version": "1"}}']
)
def test_a_manifest_that_is_none(copy, bad):
    (copy / "manifest.json").write_bytes(bad)
    with pytest.raises(errors.CorruptError):
        Surrogate.open(copy)
    with pytest.raises(errors.CorruptError, match=r"manifest\.json"):
        Manifest.read(copy / "manifest.json")


def test_an_engine_that_is_not_there(flow, copy, tmp_path):
    edit_manifest(copy, lambda manifest: manifest["programs"][0].update(engine="jax"))
    with pytest.raises(errors.EngineError, match=str(tmp_path / "engines")) as caught:
        Surrogate.open(copy, engine_path=[tmp_path / "engines"])
    assert isinstance(caught.value, RuntimeError)
    with pytest.raises(SurrogateError, match="nosuch"):
        Surrogate.open(flow, engine="nosuch")


def test_an_engine_that_cannot_load_its_program(make):
    bundle = make("broken", [field("u")], affine([1.0], fail="load"))
    with pytest.raises(errors.EngineError, match="asks to fail in load"):
        Surrogate.open(bundle)


def test_options_that_are_wrong(flow):
    with pytest.raises(errors.ArgumentError, match="hashes"):
        Surrogate.open(flow, verify="all")
    with pytest.raises(SurrogateError, match="nosuch"):
        Surrogate.open(flow, program="nosuch")
    with pytest.raises(errors.ArgumentError, match="nosuch"):
        Surrogate.open(flow, guards={"bounds": {"nosuch": {"lower": 0}}})
    with pytest.raises(TypeError):
        Surrogate.open(flow, "stub")


def test_the_example_is_replayed_at_open(tmp_path):
    from flow_bundle import sealed_with_example

    Surrogate.open(sealed_with_example(tmp_path / "good.surrogate"), verify="example").close()
    with pytest.raises(SurrogateError, match="example"):
        Surrogate.open(sealed_with_example(tmp_path / "bad.surrogate", wrong=0.5), verify="example")


# ---- predicting: every wrong call leaves the output and the model as they were


def wrong_calls():
    state = flow_state()
    fields = named(state)
    extra = {**fields, "T": fields["rho"]}
    missing = {"rho": fields["rho"], "v": fields["v"]}
    three = np.zeros((3, 6, 8))
    return {
        "channels": (state[:3], errors.ShapeError, "3 channels; expected 4"),
        "rank": (state[0], errors.ShapeError, r"\(6, 8\)"),
        "rank above": (np.zeros((1, 1, 1, 4, 6, 8)), errors.ShapeError, "expected"),
        "components": ({**fields, "v": three}, errors.FieldError, "v"),
        "unknown field": (extra, errors.FieldError, "T unknown"),
        "missing field": (missing, errors.FieldError, "mask missing"),
        "no fields": ({}, errors.FieldError, "rho"),
        "shapes differ": ({**fields, "rho": np.zeros((6, 9))}, errors.ShapeError, "9"),
        "dtypes differ": (
            {**fields, "rho": fields["rho"].astype("f4")},
            errors.DtypeError,
            "dtype",
        ),
        "field of rank 1": ({**fields, "rho": np.zeros(8)}, errors.ShapeError, r"\(8,\)"),
        "empty": (state[:, :0], errors.ShapeError, "0"),
    }


@pytest.mark.parametrize("case", list(wrong_calls()))
def test_a_wrong_state_is_an_error_and_the_model_goes_on(model, case):
    state, kind, text = wrong_calls()[case]
    with pytest.raises(kind, match=text) as caught:
        model.predict(state)
    assert caught.value.status == kind.code
    model.predict(flow_state())


def test_a_wrong_output_is_an_error_and_stays_untouched(model):
    state = flow_state()
    for out in (np.full((4, 6, 9), 5.0), np.full((4, 6, 8), 5.0, "f4"), np.full((6, 8), 5.0)):
        with pytest.raises(SurrogateError):
            model.predict(state, out=out)
        assert (out == 5.0).all()
    with pytest.raises(errors.ArgumentError, match="dict"):
        model.predict(named(state), out=np.zeros_like(state))
    with pytest.raises(errors.FieldError, match="v missing"):
        model.predict(named(state), out={"rho": np.zeros((6, 8))})


def test_the_grid_rule(make):
    bundle = make("coarse", [field("u")], affine([1.0]), multiple_of=4)
    with Surrogate.open(bundle) as model:
        assert model.info.multiple_of == (4, 4)
        with pytest.raises(errors.ShapeError, match="multiple"):
            model.predict(np.zeros((8, 10)))


def test_partial_overlap(model):
    memory = np.zeros((5, 6, 8))
    with pytest.raises(errors.OverlapError) as caught:
        model.predict(memory[:4], out=memory[1:])
    assert isinstance(caught.value, ValueError)


def test_parameters_out_of_range_and_unknown(make):
    parameters = [{"name": "nu", "range": [0.0, 1.0], "preset": 0.25}]
    bundle = make("driven", [field("u")], affine([0.0], parameter=0), parameters=parameters)
    with Surrogate.open(bundle) as model:
        u = np.zeros((4, 4))
        with pytest.raises(errors.ParameterError, match="nu"):
            model.predict(u, parameters={"nu": 2.0})
        with pytest.raises(errors.ParameterError, match="'mu'"):
            model.predict(u, parameters={"mu": 0.5})
        with pytest.raises(SurrogateError):
            model.predict(u, parameters=[0.1, 0.2])


@pytest.mark.parametrize("name", ["step", "seed", "member"])
def test_counters_are_not_negative(model, name):
    with pytest.raises(errors.ArgumentError, match=f"{name}=-1"):
        model.predict(flow_state(), **{name: -1})


def test_a_program_that_fails_while_running(make):
    # Opening runs the program once; the first prediction still works.
    bundle = make("frail", [field("u")], affine([1.0], fail="run", after=2))
    with Surrogate.open(bundle) as model:
        model.predict(np.ones((4, 4)))
        out = np.full((4, 4), 5.0)
        with pytest.raises(errors.ExecutionError, match="asks to fail in run"):
            model.predict(np.ones((4, 4)), out=out)
        assert (out == 5.0).all()
        assert model.statistics.errors >= 1


def test_a_closed_model(flow):
    model = Surrogate.open(flow)
    model.close()
    model.close()
    assert model.closed
    assert "closed" in repr(model)
    with pytest.raises(errors.ArgumentError, match="closed"):
        model.predict(flow_state())


# ---- rejections


def test_a_state_that_is_not_finite_is_rejected_with_its_place(model):
    state = flow_state()
    state[2, 3, 5] = np.nan
    out = np.full_like(state, 5.0)
    with pytest.raises(Rejected) as caught:
        model.predict(state, out=out)
    refused = caught.value
    assert (refused.reason, refused.field, refused.component) == ("INPUT_NOT_FINITE", "v", 1)
    assert refused.cell == (3, 5)
    assert np.isnan(refused.value)
    assert re.search("v", str(refused))
    assert (out == 5.0).all()
    assert not isinstance(refused, SurrogateError)
    assert model.last_rejection == refused.rejection or np.isnan(refused.value)
    model.predict(flow_state())
    assert (model.statistics.rejected, model.statistics.ok) == (1, 1)


def test_bounds_reject_input_and_output(flow):
    bounds = {"bounds": {"rho": {"lower": -1e3, "upper": 50.0}}}
    with Surrogate.open(flow, guards=bounds) as model:
        assert model.last_rejection is None
        state = flow_state()
        state[0, 1, 2] = 60.0
        with pytest.raises(Rejected) as caught:
            model.predict(state)
        assert (caught.value.reason, caught.value.field) == ("INPUT_OUT_OF_BOUNDS", "rho")
        assert (caught.value.cell, caught.value.value) == ((1, 2), 60.0)
        assert caught.value.rejection.upper == 50.0


def test_a_program_that_returns_nan_is_rejected_and_the_input_survives_in_place(make):
    bundle = make("wild", [field("u")], affine([1.0], fail="nan", after=1))
    with Surrogate.open(bundle) as model:
        state = np.ones((4, 4))
        with pytest.raises(Rejected) as caught:
            model.predict(state, out=state)
        assert caught.value.reason == "OUTPUT_NOT_FINITE"
        assert (state == 1.0).all()


def test_nothing_is_printed_by_a_rejection(flow):
    code = (
        "import numpy, surrogate\n"
        f"model = surrogate.Surrogate.open({str(flow)!r})\n"
        "try: model.predict(numpy.full((4, 6, 8), numpy.nan))\n"
        "except surrogate.Rejected: pass"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_named_states_are_rejected_alike(model):
    fields = named(flow_state())
    fields["rho"][0, 0] = np.inf
    with pytest.raises(Rejected) as caught:
        model.predict(fields)
    assert (caught.value.reason, caught.value.field) == ("INPUT_NOT_FINITE", "rho")


def test_every_status_of_the_header_has_its_exception():
    from surrogate.paths import include_dir

    header = (include_dir() / "surrogate/surrogate.h").read_text()
    codes = {int(code) for code in re.findall(r"SURROGATE_ERROR_\w+ = (-\d+)", header)}
    assert codes == set(errors.BY_STATUS)
    natural = {
        errors.ShapeError: ValueError,
        errors.DtypeError: TypeError,
        errors.FieldError: KeyError,
    }
    assert all(issubclass(kind, python) for kind, python in natural.items())
    assert str(errors.make_error(-7, "no field 'x'")) == "no field 'x'"
