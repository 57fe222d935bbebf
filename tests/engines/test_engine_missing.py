"""An engine that is missing, or made for another torch, is a status whose text says what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from compiling import INCLUDE, LIBRARY, compile_program, need_compiler, run
from engines.torchscript import bundle_of, engine_folder

HERE = Path(__file__).resolve().parent
ENGINES = INCLUDE.parent / "engines"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    return compile_program(
        HERE / "predict_once.c", tmp_path_factory.mktemp("host") / "predict_once"
    )


@pytest.fixture
def bare(tmp_path, host):
    """The host beside a libsurrogate that has no engines beside it."""
    folder = tmp_path / "bare"
    folder.mkdir()
    for file in LIBRARY.glob("libsurrogate.so*"):
        shutil.copy2(file, folder, follow_symlinks=True)
    return host, folder


def open_error(host, folder: Path, bundle: Path, *, engines: Path, **more: str) -> str:
    environment = {"LD_LIBRARY_PATH": str(folder), "SURROGATE_ENGINE_PATH": str(engines), **more}
    done = run([preferring_environment(host, folder), bundle, "1", "16"], environment=environment)
    assert done.stderr == ""
    status, text = done.stdout.split("\n", 1)
    assert status == "SURROGATE_ERROR_ENGINE", done.stdout
    return text


def preferring_environment(host: Path, folder: Path) -> Path:
    """The host, linked again with the bare folder first on its run path."""
    target = folder / "host"
    return compile_program(
        HERE / "predict_once.c", target, f"-Wl,-rpath,{folder}", "-Wl,--disable-new-dtags"
    )


def shared(source: str, target: Path, *options: str) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    includes = [f"-I{ENGINES}", f"-I{INCLUDE}"]
    run(
        [need_compiler("gcc"), "-shared", "-fPIC", *options, *includes, HERE / source, "-o", target]
    )
    return target


@pytest.fixture
def bundle(tmp_path):
    return bundle_of(tmp_path / "any.surrogate", b"never read")


def test_missing_engine_names_the_folders_and_the_command(bare, bundle, tmp_path):
    host, folder = bare
    text = open_error(host, folder, bundle, engines=tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in text
    assert str(folder) in text
    assert "surrogate engine build torch" in text


def test_engine_that_refuses_is_quoted(bare, bundle, tmp_path):
    host, folder = bare
    shared("foreign_engine.c", tmp_path / "engines" / "libsurrogate_engine_torch-9.9.9.so")
    text = open_error(host, folder, bundle, engines=tmp_path / "engines")
    assert "built for torch 9.9.9, this process runs torch 2.13.0" in text


def test_engine_of_another_interface_is_refused(bare, bundle, tmp_path):
    host, folder = bare
    shared(
        "foreign_engine.c",
        tmp_path / "engines" / "libsurrogate_engine_torch-9.9.9.so",
        "-DWRONG_ABI",
    )
    assert "interface" in open_error(host, folder, bundle, engines=tmp_path / "engines")


def test_process_that_holds_another_torch_is_told_both_versions(bare, bundle, tmp_path):
    host, folder = bare
    other = shared("foreign_torch.c", tmp_path / "libtorch_cpu.so", "-Wl,-soname,libtorch_cpu.so")
    text = open_error(host, folder, bundle, engines=engine_folder(), LD_PRELOAD=str(other))
    assert "torch engine built for torch 2." in text
    assert f"this process already runs torch 1.12.3 ({other})" in text
    assert "surrogate engine build torch" in text
