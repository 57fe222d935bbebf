"""``surrogate engine build torch`` finds torch, compiles once, and names what is missing."""

from __future__ import annotations

import json
import re

import pytest
from typer.testing import CliRunner

from surrogate import engine
from surrogate.cli.engine import app
from surrogate.errors import EngineError


@pytest.fixture
def torch_found():
    try:
        return engine.find_torch()
    except EngineError:
        pytest.skip("torch is missing: pip install torch==2.13.0")


@pytest.fixture
def compilations(monkeypatch, tmp_path):
    """How often the compiler would have been called; the engine's files are empty ones."""
    calls = []

    def compile_nothing(torch, built_from):
        calls.append(built_from)
        for stem in ("libsurrogate_engine_torch", "libsurrogate_torch"):
            (tmp_path / f"{stem}-{torch.version}.so").write_bytes(b"")
        return tmp_path

    monkeypatch.setattr(engine, "_compile", compile_nothing)
    return calls


def test_torch_is_found_without_importing_it(torch_found):
    assert re.fullmatch(r"\d+\.\d+\.\d+", torch_found.version)
    assert engine.find_torch(torch_found.cmake_dir) == torch_found
    assert engine.find_torch(torch_found.root) == torch_found
    assert engine.find_torch(torch_found.root.parent) == torch_found


def test_folder_without_torch_is_refused_with_the_way_to_install(tmp_path):
    with pytest.raises(EngineError, match=r"no torch with headers.*pip install torch"):
        engine.find_torch(tmp_path)


def test_engine_that_is_up_to_date_is_not_compiled_again(torch_found, compilations, tmp_path):
    first = engine.build_torch(out=tmp_path / "out")
    second = engine.build_torch(out=tmp_path / "out")
    assert (first.rebuilt, second.rebuilt, len(compilations)) == (True, False, 1)
    assert engine.build_torch(out=tmp_path / "out", force=True).rebuilt


def test_changed_sources_are_compiled_again(torch_found, compilations, tmp_path):
    stamp = engine.build_torch(out=tmp_path / "out").path.with_suffix(".json")
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "sources": "older"}))
    assert engine.build_torch(out=tmp_path / "out").rebuilt


def test_missing_compiler_is_named_with_the_line_that_installs_it(
    torch_found, monkeypatch, tmp_path
):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(EngineError, match=r"no-such-compiler.*apt-get install g\+\+"):
        engine.build_torch(out=tmp_path)


def test_failing_compilation_shows_its_first_error_and_the_log(torch_found, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CXX", "/bin/false")
    with pytest.raises(EngineError, match=r"configure\.log"):
        engine.build_torch(out=tmp_path)


def test_unknown_engine_is_a_usage_error():
    result = CliRunner().invoke(app, ["build", "jax"])
    assert result.exit_code == 2
    assert "only torch" in result.output


def test_list_prints_what_is_found(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["list", "--json"])
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert rows["stub"]["works"]
