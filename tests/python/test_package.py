"""The package as installed: version, layering, what an import costs."""

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import surrogate
from surrogate import _native, paths

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_version_is_one_in_header_library_and_package():
    header = (paths.include_dir() / "surrogate/surrogate.h").read_text()
    (stated,) = re.findall(r'#define SURROGATE_VERSION "(.*)"', header)
    assert stated == _native.version() == _native.SURROGATE_VERSION == surrogate.__version__
    assert importlib.metadata.version("surrogate") == stated


def imported_by(code):
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd="/"
    )
    return set(done.stdout.split())


def test_import_brings_no_torch_and_nothing_optional():
    modules = imported_by(
        "import surrogate, surrogate.cli, surrogate.verification, surrogate.bundle.folder, surrogate.io.frames"
    )
    optional = {"torch", "mpi4py", "astropy", "matplotlib", "xarray", "zarr", "PIL", "yaml"}
    assert not modules & (optional | {"surrogate_training", "h5py"})


def test_import_alone_is_light():
    assert not imported_by("import surrogate") & {"pydantic", "typer", "rich", "h5py", "torch"}


def test_predict_brings_no_torch(flow):
    code = f"import numpy, surrogate; surrogate.Surrogate.open({str(flow)!r}).predict(numpy.ones((4, 6, 8)))"
    assert "torch" not in imported_by(code)


def test_the_native_module_links_only_libsurrogate_and_the_system():
    done = subprocess.run(
        ["readelf", "-d", _native.__file__], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("readelf (apt-get install binutils)")
    needed = set(re.findall(r"NEEDED.*\[(.*)\]", done.stdout))
    system = {
        "libsurrogate.so",
        "libstdc++.so.6",
        "libgcc_s.so.1",
        "libc.so.6",
        "libm.so.6",
        "libpthread.so.0",
    }
    assert {name for name in needed if not name.startswith("ld-linux")} <= system
    assert "$ORIGIN/lib" in done.stdout


def test_the_stub_file_lists_what_the_native_module_has():
    source = (Path(surrogate.__file__).parent / "_native.pyi").read_text()
    stated = set(re.findall(r"^(?:def|class) (\w+)", source, re.M)) | set(
        re.findall(r"^(\w+):", source, re.M)
    )
    assert {name for name in vars(_native) if not name.startswith("_")} == stated


def test_installed_parts_are_where_paths_says():
    assert (paths.share_dir() / "surrogate" / "fortran" / "surrogate.f90").is_file()
    assert (paths.share_dir() / "surrogate" / "engines" / "engine.h").is_file()
    assert (paths.share_dir() / "solvers" / "mhd2d" / "solver.c").is_file()
    assert paths.library().is_file()
    assert (paths.library_dir() / "libsurrogate_engine_stub.so").is_file()


def test_from_the_source_tree_the_error_says_what_to_do(tmp_path):
    (tmp_path / "surrogate").mkdir()
    source = (REPOSITORY / "surrogate" / "__init__.py").read_text()
    (tmp_path / "surrogate" / "__init__.py").write_text(source)
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import surrogate"],  # -S: nothing installed
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert "that is the source tree" in done.stderr
    assert "pip install" in done.stderr


def test_a_shipped_bundle_is_found_by_name(tmp_path, monkeypatch, flow):
    monkeypatch.setattr(paths, "bundles_dir", lambda: flow.parent)
    assert list(paths.shipped_bundles()) == ["flow"]
    assert paths.find_bundle("flow") == flow
    assert paths.find_bundle("flow.surrogate") == flow
    with pytest.raises(surrogate.SurrogateError, match="did you mean 'flow'"):
        paths.find_bundle("flew")
    assert surrogate.Surrogate.open("flow").info.name == "flow"


def test_layers_hold():
    pytest.importorskip("importlinter", reason="import-linter (extra: test)")
    if not (REPOSITORY / "training" / "surrogate_training").is_dir():
        pytest.skip("training/surrogate_training")
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as go; go()",
    ]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "training")}
    done = subprocess.run(
        [*command, "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
        env=environment,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
