"""Fixtures: bundles of the stub engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bundles import field, stub_bundle
from flow_bundle import FLOW_FIELDS, OFFSET, SCALE, affine


@pytest.fixture(scope="session")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """rho (1), v (2 components), mask (a condition); shifted, so that cells cannot be confused."""
    program = affine(SCALE, OFFSET, shift=[1, -2])
    return stub_bundle(tmp_path_factory.mktemp("flow") / "flow.surrogate", FLOW_FIELDS, program)


@pytest.fixture(scope="session")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One field u in metres, not normalised: u' = 2 u. Its program runs in place on dense float32."""
    folder = tmp_path_factory.mktemp("twice") / "twice.surrogate"
    return stub_bundle(folder, [field("u", unit="m")], affine([1.0]))


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Make a bundle ``NAME.surrogate`` with any fields and program."""

    def build(
        name: str, fields: list[dict[str, Any]], program: dict[str, Any], **more: Any
    ) -> Path:
        return stub_bundle(tmp_path / f"{name}.surrogate", fields, program, **more)

    return build
