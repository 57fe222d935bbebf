"""The torch engine runs AOTInductor packages from C: right numbers, readable failures, inputs left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundles import field, manifest
from compiling import compile_program, run
from engines.aoti import compiled, unpacked
from engines.torchscript import PROGRAM, engine_folder

from surrogate.bundle.folder import write_bundle

torch = pytest.importorskip("torch", reason="torch is missing: pip install torch==2.13.0")
HERE = Path(__file__).resolve().parent
PACKAGE = {**PROGRAM, "name": "aoti", "format": "aoti", "file": "programs/aoti.pt2"}


class AddZero(torch.nn.Module):
    def forward(self, x):
        return x + 0.0


class Same(torch.nn.Module):
    def forward(self, x):
        return x


class InPlace(torch.nn.Module):
    def forward(self, x):
        return x.mul_(2.0)


class Pair(torch.nn.Module):
    def forward(self, x, y):
        return x + y


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    return compile_program(
        HERE / "predict_once.c", tmp_path_factory.mktemp("host") / "predict_once"
    )


@pytest.fixture(scope="module")
def add_zero(tmp_path_factory):
    return compiled(AddZero(), tmp_path_factory.mktemp("aoti"))


def bundle_of(folder: Path, package: Path | bytes) -> Path:
    fields = [field("u")]
    write_bundle(folder, {PACKAGE["file"]: package}, **manifest(folder.stem, fields, [PACKAGE]))
    return folder


def predict(host: Path, bundle: Path, *sizes: int, threads: int = 1) -> list[str]:
    environment = {"SURROGATE_ENGINE_PATH": str(engine_folder())}
    done = run([host, bundle, "1", *map(str, sizes)], environment=environment)
    assert done.stderr == ""  # neither the library nor torch prints
    return done.stdout.splitlines()


def last_and_input(line: str) -> tuple[float, float]:
    words = line.split()
    assert words[0] == "SURROGATE_OK", line
    return float(words[4]), float(words[6])


def test_package_of_a_bundle_gives_the_right_numbers_at_any_size(host, add_zero, tmp_path):
    lines = predict(host, bundle_of(tmp_path / "zero.surrogate", add_zero), 24, 16)
    for line in lines:
        last, given = last_and_input(line)
        assert last == pytest.approx(2 * given, rel=1e-6)


def test_package_that_returns_its_input_is_right(host, tmp_path):
    bundle = bundle_of(tmp_path / "same.surrogate", compiled(Same(), tmp_path))
    last, given = last_and_input(predict(host, bundle, 16)[0])
    assert last == pytest.approx(2 * given, rel=1e-6)


@pytest.mark.full
def test_package_that_writes_in_place_leaves_the_input_alone(host, tmp_path):
    bundle = bundle_of(tmp_path / "inplace.surrogate", compiled(InPlace(), tmp_path))
    for line in predict(host, bundle, 16, 24):
        last, given = last_and_input(line)
        assert given == pytest.approx(25.5 if last < 100 else 57.5, rel=1e-6)
        assert last == pytest.approx(3 * given, rel=1e-6)


def test_garbage_is_an_engine_error_that_names_it(host, tmp_path):
    bundle = bundle_of(tmp_path / "garbage.surrogate", b"this is no zip file")
    status, text = predict(host, bundle, 16)[:2]
    assert status == "SURROGATE_ERROR_ENGINE"
    assert "aoti.pt2" in text
    assert "cannot load" in text


def test_unpacked_package_is_a_folder_of_the_archives_name(add_zero, tmp_path):
    folder = unpacked(add_zero, tmp_path / "package")
    assert list(folder.glob("data/aotinductor/model/*.so"))
