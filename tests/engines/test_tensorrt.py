"""Programs of format tensorrt: nothing is loaded before one is opened, and a missing library says what to install.

Running one needs TensorRT, which cannot be installed from a package index: that has not been done.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from bundles import field, manifest
from compiling import need_compiler
from engines.torchscript import PROGRAM, engine_folder, traced

from surrogate import Surrogate, errors
from surrogate.bundle.folder import write_bundle

torch = pytest.importorskip("torch", reason="torch is missing: pip install torch==2.13.0")
FORMAT = {**PROGRAM, "name": "tensorrt", "format": "tensorrt", "file": "programs/tensorrt.ts"}


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "trt.surrogate"
    files = {program["file"]: traced(torch.nn.Identity()) for program in (FORMAT, PROGRAM)}
    write_bundle(folder, files, **manifest("trt", [field("u")], [FORMAT, PROGRAM]))
    return folder


def opened(bundle: Path, **options: str) -> Surrogate:
    return Surrogate.open(bundle, engine_path=engine_folder(), **options)


def test_missing_library_names_what_to_install(bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("SURROGATE_TENSORRT_LIBRARY", str(tmp_path / "gone.so"))
    with pytest.raises(errors.EngineError) as refused:
        opened(bundle, program="tensorrt")
    text = str(refused.value)
    assert "install torch_tensorrt of this torch's version" in text
    assert "SURROGATE_TENSORRT_LIBRARY" in text
    assert str(tmp_path / "gone.so") in text


def test_without_the_library_the_next_program_is_chosen(bundle, tmp_path):
    options = {"tensorrt_library": str(tmp_path / "gone.so")}
    with opened(bundle, engine_options=options) as model:
        assert model.info.program == "torchscript"
        assert "'tensorrt' (" in model.info.choice


def test_library_is_loaded_when_a_program_is_opened_and_not_before(bundle, tmp_path):
    mark, source = tmp_path / "loaded", tmp_path / "runtime.c"
    source.write_text(
        "#include <stdio.h>\n__attribute__((constructor)) static void mark(void)"
        f'{{ fclose(fopen("{mark}", "w")); }}\n'
    )
    library = tmp_path / "libtorchtrt_runtime.so"
    subprocess.run(
        [need_compiler("gcc"), "-shared", "-fPIC", "-o", str(library), str(source)], check=True
    )
    options = {"tensorrt_library": str(library)}
    with opened(bundle, program="torchscript", engine_options=options):
        assert not mark.exists()
    with opened(bundle, program="tensorrt", engine_options=options) as model:
        assert mark.exists()
        frame = model.predict(np.ones((1, 8, 8), np.float32))  # of a file without its operators
        assert (frame == 2.0).all()
