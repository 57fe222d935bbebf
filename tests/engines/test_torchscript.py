"""The torch engine runs TorchScript programs from C: right numbers, readable failures, nothing printed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from compiling import compile_program, run
from engines.torchscript import bundle_of, engine_folder, scripted_bytes, traced

torch = pytest.importorskip("torch", reason="torch is missing: pip install torch==2.13.0")
HERE = Path(__file__).resolve().parent


class Double(torch.nn.Module):
    def forward(self, x):
        return x + x


class Same(torch.nn.Module):
    def forward(self, x):
        return x


class Swap(torch.nn.Module):
    def forward(self, x):
        return x.flip(1).transpose(2, 3)


class InPlace(torch.nn.Module):
    def forward(self, x):
        return x.mul_(2.0)


class Half(torch.nn.Module):
    def forward(self, x):
        return x.to(torch.bfloat16)


class Crop(torch.nn.Module):
    def forward(self, x):
        return x[:, :, 1:]


class Pair(torch.nn.Module):
    def forward(self, x):
        return x, x


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    return compile_program(
        HERE / "predict_once.c", tmp_path_factory.mktemp("host") / "predict_once"
    )


def predict(host: Path, bundle: Path, *arguments: object) -> str:
    environment = {"SURROGATE_ENGINE_PATH": str(engine_folder())}
    done = run([host, bundle, *map(str, arguments)], environment=environment)
    assert done.stderr == ""  # neither the library nor torch prints
    return done.stdout


def first_and_last(line: str) -> tuple[float, float, float]:
    words = line.split()
    assert words[0] == "SURROGATE_OK", line
    return float(words[2]), float(words[4]), float(words[6])


def test_increment_is_added_to_the_input(host, tmp_path):
    bundle = bundle_of(tmp_path / "double.surrogate", traced(Double()))
    first, last, given = first_and_last(predict(host, bundle, 1, 16))
    assert first == 0.0
    assert last == pytest.approx(3 * given, rel=1e-6)


def test_program_that_returns_its_input_is_right(host, tmp_path):
    bundle = bundle_of(tmp_path / "same.surrogate", traced(Same()))
    _, last, given = first_and_last(predict(host, bundle, 1, 16))
    assert last == pytest.approx(2 * given, rel=1e-6)


def test_strided_result_is_made_dense(host, tmp_path):
    bundle = bundle_of(tmp_path / "swap.surrogate", traced(Swap(), channels=2), channels=2)
    first, last, given = first_and_last(predict(host, bundle, 2, 16))
    assert first == pytest.approx(0.1 * 256, rel=1e-6)  # the other channel's first cell
    assert last == pytest.approx(given + 0.1 * 255, rel=1e-6)


def test_program_that_writes_in_place_leaves_the_input_alone(host, tmp_path):
    bundle = bundle_of(tmp_path / "inplace.surrogate", traced(InPlace()))
    _, last, given = first_and_last(predict(host, bundle, 1, 16))
    assert given == pytest.approx(25.5, rel=1e-6)
    assert last == pytest.approx(3 * given, rel=1e-6)


def test_result_of_another_dtype_is_converted(host, tmp_path):
    bundle = bundle_of(tmp_path / "half.surrogate", traced(Half()))
    _, last, given = first_and_last(predict(host, bundle, 1, 16))
    assert last == pytest.approx(2 * given, rel=1e-2)


def test_sizes_may_change_from_call_to_call(host, tmp_path):
    bundle = bundle_of(tmp_path / "double.surrogate", traced(Double()))
    lines = predict(host, bundle, 1, 24, 16).splitlines()
    assert [first_and_last(line)[1] for line in lines] == pytest.approx(
        [3 * 25.5, 3 * 57.5], rel=1e-5
    )


def test_garbage_is_an_engine_error_that_names_it(host, tmp_path):
    bundle = bundle_of(tmp_path / "garbage.surrogate", b"this is no zip file")
    status, text = predict(host, bundle, 1, 16).splitlines()[:2]
    assert status == "SURROGATE_ERROR_ENGINE"
    assert "torchscript.pt" in text
    assert "cannot load" in text


def test_program_that_fails_is_a_status_and_the_next_call_works(host, tmp_path):
    class Picky(torch.nn.Module):
        def forward(self, x):
            if x.size(2) == 12:
                raise ValueError("twelve is too small")
            return x + x

    script = torch.jit.script(Picky())
    bundle = bundle_of(tmp_path / "picky.surrogate", scripted_bytes(script))
    bad, text, good = predict(host, bundle, 1, 16, 12).splitlines()
    assert bad.startswith("SURROGATE_ERROR_EXECUTION first -7 last -7")  # untouched
    assert "twelve is too small" in text
    assert "Traceback" not in text
    assert first_and_last(good)[1] == pytest.approx(76.5, rel=1e-6)


def test_wrong_number_of_channels_is_a_status_with_torchs_words(host, tmp_path):
    net = torch.nn.Conv2d(2, 2, 3, padding=1)
    bundle = bundle_of(tmp_path / "conv.surrogate", traced(net, channels=2), channels=1)
    status, text = predict(host, bundle, 1, 16).splitlines()[:2]
    assert status == "SURROGATE_ERROR_EXECUTION"  # of open, which runs the program once
    assert "to have 2 channels, but got 1 channels instead" in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("module", "words"), [(Crop(), "expected (1, C, "), (Pair(), "expected one tensor")]
)
def test_result_of_a_wrong_kind_is_a_status(host, tmp_path, module, words):
    bundle = bundle_of(tmp_path / "wrong.surrogate", traced(module))
    status, text = predict(host, bundle, 1, 16).splitlines()[:2]
    assert status.startswith("SURROGATE_ERROR")
    assert words in text


def test_convolutions_give_python_s_numbers(host, tmp_path):
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.SiLU(), torch.nn.Conv2d(8, 1, 3, padding=1)
    )
    bundle = bundle_of(tmp_path / "net.surrogate", traced(net))
    first, last, _ = first_and_last(predict(host, bundle, 1, 16))
    x = (torch.arange(256, dtype=torch.float32) * 0.1).reshape(1, 1, 16, 16)
    with torch.inference_mode():
        expected = (x + net(x)).flatten()
    assert [first, last] == pytest.approx([expected[0].item(), expected[-1].item()], rel=1e-5)


def test_only_the_entry_is_visible():
    files = [
        engine_folder() / name
        for name in ("libsurrogate_engine_torch-*.so", "libsurrogate_torch-*.so")
    ]
    for pattern, symbol in zip(
        files, ["surrogate_engine_entry", "surrogate_torch_engine"], strict=True
    ):
        for file in pattern.parent.glob(pattern.name):
            lines = subprocess.run(
                ["nm", "-D", "--defined-only", file], capture_output=True, text=True, check=True
            )
            assert [line.split()[-1] for line in lines.stdout.splitlines()] == [symbol]
