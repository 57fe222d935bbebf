"""The tests of this folder under AddressSanitizer and UndefinedBehaviorSanitizer.

MPI itself leaks: leaks are not looked for.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from compiling import ROOT, sanitizer_works
from other_builds import assert_tests_pass, build

pytestmark = pytest.mark.full
FILES = ("agreement", "opening", "predict", "predict_faults", "recorder", "bad_input")


@pytest.fixture(scope="module")
def sanitized() -> Path:
    """The build of the preset ``sanitize``."""
    if not sanitizer_works():
        pytest.skip("AddressSanitizer is missing: install the compiler's libasan")
    return build(ROOT / "build" / "sanitize", "--preset", "sanitize")


@pytest.mark.parametrize("name", FILES)
def test_tests_pass_under_sanitizers(sanitized: Path, name: str) -> None:
    assert_tests_pass(name, sanitized, ASAN_OPTIONS="detect_leaks=0")
