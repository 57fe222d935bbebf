"""An overlay's programs: the fastest admissible one is run, every other is passed over with its reason."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import field, manifest, stub_bundle
from compiling import need_compiler
from engines.aoti import timing, write_entry, write_timings
from engines.torchscript import engine_folder
from flow_bundle import OFFSET, SCALE, sealed_with_example
from flow_bundle import affine as flow_affine

from surrogate import Surrogate, errors
from surrogate.bundle.folder import write_bundle
from surrogate.verification import verify_bundle

STUB = {"engine": "stub", "format": "stub", "made_with": "stub 1"}
ADMISSIBLE = {"program": STUB}


def affine(scale: float, **more: Any) -> dict[str, Any]:
    """u' = u + scale u."""
    return {"operation": "affine", "scale": [scale], "offset": [0.0], "channels": [0], **more}


@pytest.fixture
def bundle(tmp_path):
    return stub_bundle(tmp_path / "u.surrogate", [field("u")], affine(1.0))


@pytest.fixture
def payload(tmp_path):
    """A program that can be told from the bundle's: u' = 3 u."""
    path = tmp_path / "program.json"
    path.write_text(json.dumps(affine(2.0)))
    return path


@pytest.fixture
def overlay(tmp_path):
    return tmp_path / "overlay"


def opened(bundle: Path, overlay: Path, **options: Any) -> tuple[str, float, str]:
    """Program chosen, what it makes of 1, and why."""
    with Surrogate.open(bundle, overlay=overlay, **options) as model:
        frame = model.predict(np.ones((1, 4, 6), np.float32))
        return model.info.program, float(frame[0, 0, 0]), model.info.choice


def test_program_with_a_timing_comes_before_one_without(bundle, payload, overlay):
    write_entry(overlay, bundle, payload, name="fast", **ADMISSIBLE)
    program, value, choice = opened(bundle, overlay)
    assert (program, value) == ("fast", 3.0)
    assert "the fastest of 2" in choice
    assert "0.001 ms for 4096 cells, 1 thread" in choice


def test_fastest_by_timings_is_chosen(bundle, payload, overlay):
    write_entry(overlay, bundle, payload, name="a", **ADMISSIBLE, timings=[timing(3.0)])
    write_entry(overlay, bundle, payload, name="b", **ADMISSIBLE, timings=[timing(2.0)])
    assert opened(bundle, overlay)[0] == "b"
    write_timings(overlay, bundle, {"stub": [timing(1.0)]})
    assert opened(bundle, overlay)[:2] == ("stub", 2.0)


def test_timings_of_the_nearest_number_of_threads_decide(bundle, payload, overlay):
    a = [timing(3.0, threads=1), timing(1.0, threads=8)]
    write_entry(overlay, bundle, payload, name="a", **ADMISSIBLE, timings=a)
    b = [timing(2.0, threads=1), timing(2.0, threads=8)]
    write_entry(overlay, bundle, payload, name="b", **ADMISSIBLE, timings=b)
    assert opened(bundle, overlay, threads=1)[0] == "b"
    assert opened(bundle, overlay, threads=7)[0] == "a"


@pytest.mark.parametrize("host", [{"cpu": "another CPU"}, {"compute_capability": "9.0"}])
def test_timings_of_another_machine_or_device_do_not_count(bundle, payload, overlay, host):
    write_entry(overlay, bundle, payload, name="fast", **ADMISSIBLE, timings=[timing(2.0)])
    write_timings(overlay, bundle, {"stub": [timing(1.0)]}, **host)
    assert opened(bundle, overlay)[0] == "fast"


def test_entry_that_is_being_written_is_not_looked_at(bundle, payload, overlay):
    write_entry(overlay, bundle, payload, name=".fast-partial", **ADMISSIBLE)
    assert "partial" not in opened(bundle, overlay)[2]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"host": {"isa": ["fpu", "avx9000"]}},
            "compiled for instruction set avx9000, which this CPU lacks",
        ),
        ({"host": {"cpu": "another CPU"}}, "compiled on another CPU (another CPU)"),
        ({"program": {"made_with": "stub 2"}}, "made with stub 2, the engine is stub 1"),
        ({"bundle_hash": "0" * 64}, "lowered from another bundle"),
        ({"host": {"compute_capability": "99.0"}}, "compiled for compute capability 99.0"),
        ({"schema": 2}, "damaged: program.json: schema: 2 given, expected 1"),
        ({"path": "../escape"}, "damaged: program.json: path"),
        ({"files": {"package": {"bytes": 1, "sha256": "0" * 64}}}, "has 73 bytes, expected 1"),
        ({"files": {"gone": {"bytes": 1, "sha256": "0" * 64}}}, "the file gone is missing"),
        ({"files": {"/etc/passwd": {"bytes": 1, "sha256": "0" * 64}}}, "leaves the entry's folder"),
        ({"timings": [{"threads": 1, "shape": [8], "milliseconds": -1}]}, "damaged: program.json"),
        ({"program": {"format": "onnx"}}, "this version does not know format 'onnx'"),
        ({"program": {"device": "cuda"}}, "runs on cuda, cpu was asked for"),
        ({"program": {"engine": "tvm"}}, "no engine 'tvm' works here"),
    ],
)
def test_foreign_or_damaged_entry_is_passed_over_with_its_reason(
    bundle, payload, overlay, changes, reason
):
    changes = {**changes, "program": STUB | changes.get("program", {})}
    write_entry(overlay, bundle, payload, name="entry", **changes)
    program, value, choice = opened(bundle, overlay)
    assert (program, value) == ("stub", 2.0)
    assert "passed over: 'entry' (" in choice
    assert reason in choice


def test_file_that_was_changed_is_passed_over(bundle, payload, overlay):
    entry = write_entry(overlay, bundle, payload, name="entry", **ADMISSIBLE)
    data = (entry / "package").read_bytes()
    (entry / "package").write_bytes(data[:-1] + b" ")
    assert "the file package has another SHA-256" in opened(bundle, overlay)[2]


def test_file_too_many_in_a_package_is_passed_over(bundle, payload, tmp_path, overlay):
    folder = tmp_path / "folder"
    folder.mkdir()
    payload.rename(folder / "program.json")
    entry = write_entry(overlay, bundle, folder, name="entry", **ADMISSIBLE)
    (entry / "package" / "more.so").write_bytes(b"code")
    assert "the file package/more.so does not belong to it" in opened(bundle, overlay)[2]


def test_text_that_is_no_json_is_passed_over(bundle, payload, overlay):
    entry = write_entry(overlay, bundle, payload, name="entry", **ADMISSIBLE)
    (entry / "program.json").write_text("{")
    timings = write_timings(overlay, bundle, {})
    timings.write_text("[")
    program, _, choice = opened(bundle, overlay)
    assert program == "stub"
    assert "'entry' (damaged: program.json: not valid JSON" in choice


def test_program_that_the_engine_cannot_load_falls_to_the_next(bundle, payload, overlay):
    payload.write_text(json.dumps(affine(2.0, fail="load")))
    write_entry(overlay, bundle, payload, name="entry", **ADMISSIBLE)
    program, _, choice = opened(bundle, overlay)
    assert program == "stub"
    assert "the stub program asks to fail in load" in choice


def test_precision_that_is_asked_for_excludes_the_others(bundle, payload, overlay):
    half = {"program": STUB | {"precision": "bf16"}}
    write_entry(overlay, bundle, payload, name="half", **half)
    assert opened(bundle, overlay)[0] == "half"
    assert opened(bundle, overlay, precision="fp32")[0] == "stub"
    assert opened(bundle, overlay, precision="bf16")[0] == "half"


def test_program_of_the_overlay_can_be_asked_for_by_name(bundle, payload, overlay):
    write_entry(overlay, bundle, payload, name="slow", **ADMISSIBLE, timings=[])
    assert opened(bundle, overlay)[0] == "stub"
    assert opened(bundle, overlay, program="slow")[0] == "slow"
    with pytest.raises(errors.ArgumentError, match="did you mean 'slow'"):
        Surrogate.open(bundle, overlay=overlay, program="slov")


def test_overlay_of_the_environment_is_found_and_empty_means_none(
    bundle, payload, overlay, monkeypatch
):
    write_entry(overlay, bundle, payload, name="fast", **ADMISSIBLE)
    monkeypatch.setenv("SURROGATE_OVERLAY", str(overlay))
    assert opened(bundle, None)[0] == "fast"
    assert opened(bundle, "")[0] == "stub"
    monkeypatch.delenv("SURROGATE_OVERLAY")
    monkeypatch.setenv("XDG_CACHE_HOME", str(overlay.parent / "cache"))
    assert opened(bundle, None)[0] == "stub"
    (overlay.parent / "cache" / "surrogate").mkdir(parents=True)
    overlay.rename(overlay.parent / "cache" / "surrogate" / "overlay")
    assert opened(bundle, None)[0] == "fast"


def test_bundle_in_memory_finds_its_overlay(bundle, payload, overlay):
    write_entry(overlay, bundle, payload, name="fast", **ADMISSIBLE)
    files = {
        str(path.relative_to(bundle)): path.read_bytes()
        for path in bundle.rglob("*")
        if path.is_file()
    }
    with Surrogate.open_memory(files, overlay=overlay) as model:
        assert model.info.program == "fast"


def test_engine_that_no_program_needs_is_named_with_those_that_are(bundle):
    with pytest.raises(errors.UnsupportedError, match=r"'nosuch' is needed by no program.*'stub'"):
        Surrogate.open(bundle, engine="nosuch")


def test_portable_program_says_what_it_is_for(tmp_path):
    programs = [
        {"name": "portable", "engine": "torch", "format": "torch.export", "file": "p"},
        {"name": "stub", "engine": "stub", "format": "stub", "file": "p"},
    ]
    folder = tmp_path / "p.surrogate"
    write_bundle(
        folder,
        {"p": json.dumps(affine(1.0)).encode()},
        **manifest("p", [field("u")], programs),
    )
    with pytest.raises(errors.UnsupportedError, match=r"surrogate lower.*name one of 'stub'"):
        Surrogate.open(folder, program="portable")


MARKER = """
#include <stdio.h>
__attribute__((constructor)) static void mark(void) { fclose(fopen("{path}", "w")); }
"""


def test_package_for_another_instruction_set_is_never_loaded(bundle, tmp_path, overlay):
    mark, package = tmp_path / "loaded", tmp_path / "package" / "data" / "aotinductor" / "model"
    package.mkdir(parents=True)
    source = tmp_path / "mark.c"
    source.write_text(MARKER.replace("{path}", str(mark)))
    library = package / "wrapper.so"
    (package / "wrapper_metadata.json").write_text('{"AOTI_DEVICE_KEY": "cpu"}')
    (package / "wrapper.cpp").write_text("")
    command = [need_compiler("gcc"), "-shared", "-fPIC", "-o", str(library), str(source)]
    subprocess.run(command, check=True)
    options = {"engine_path": str(engine_folder())}
    foreign = {"host": {"isa": ["avx9000"]}}
    write_entry(overlay, bundle, tmp_path / "package", name="a", **foreign)
    assert "avx9000" in opened(bundle, overlay, **options)[2]
    assert not mark.exists()
    write_entry(overlay, bundle, tmp_path / "package", name="b")  # the same one, for this CPU
    choice = opened(bundle, overlay, **options)[2]
    assert "cannot load program 'b'" in choice
    assert mark.exists()


def test_a_lowered_program_verifies_within_what_it_was_accepted_with(tmp_path, overlay):
    bundle = sealed_with_example(tmp_path / "flow.surrogate", tolerance=0.01)
    program = flow_affine(SCALE, [value + 0.05 for value in OFFSET], shift=[1, -2])
    payload = tmp_path / "shifted.json"
    payload.write_text(json.dumps(program))
    gate = {"error": {}, "limit": {}, "kind": "max-norm"}
    for name, deviation in (("near", 0.06), ("far", 0.03)):
        facts = {**ADMISSIBLE, "gate": gate | {"deviation": deviation}}
        write_entry(overlay, bundle, payload, name=name, **facts)
        with Surrogate.open(bundle, overlay=overlay, program=name) as model:
            result = model.verify()
        assert result.tolerance == pytest.approx(0.01 + deviation)
        assert result.largest_difference == pytest.approx(0.05, rel=1e-4)
        assert result.passed == (name == "near")
        reference = {
            check.name: check for check in verify_bundle(bundle, overlay=overlay, program=name)
        }
        assert reference["reference"].tolerance == pytest.approx(0.02 + deviation)
