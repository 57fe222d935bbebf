"""Checks of a bundle: files, example, reference."""

import pytest
from flow_bundle import sealed_with_example

from surrogate import Surrogate
from surrogate.errors import NotFoundError
from surrogate.verification import verify_bundle


def test_a_good_bundle_passes_every_check(tmp_path):
    checks = verify_bundle(sealed_with_example(tmp_path / "good.surrogate"))
    assert [(check.name, check.passed) for check in checks] == [
        ("files", True),
        ("example", True),
        ("reference", True),
    ]
    assert checks[2].difference < checks[2].tolerance


def test_a_wrong_answer_fails_the_example(tmp_path):
    folder = sealed_with_example(tmp_path / "bad.surrogate", wrong=0.5)
    checks = {check.name: check for check in verify_bundle(folder)}
    assert checks["example"].passed is False
    assert checks["example"].difference == pytest.approx(0.5, abs=1e-5)
    assert checks["reference"].passed is True


def test_a_damaged_file_fails_and_nothing_is_run(tmp_path):
    folder = sealed_with_example(tmp_path / "cut.surrogate")
    (folder / "example.safetensors").write_bytes(b"x")
    (check,) = verify_bundle(folder)
    assert (check.name, check.passed) == ("files", False)
    assert "example.safetensors" in check.text


def test_without_an_example_it_says_so(flow):
    checks = verify_bundle(flow)
    assert [check.passed for check in checks] == [True, None, None]
    assert "no example" in checks[1].text


def test_nothing_there_is_an_error(tmp_path):
    with pytest.raises(NotFoundError):
        verify_bundle(tmp_path)
    with pytest.raises(NotFoundError):
        verify_bundle(tmp_path / "nowhere.surrogate")


def test_the_models_own_verify(tmp_path):
    with Surrogate.open(sealed_with_example(tmp_path / "good.surrogate")) as model:
        result = model.verify()
    assert result.passed
    assert 0 <= result.largest_difference <= result.tolerance
