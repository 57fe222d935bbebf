"""What every section of a recipe is built on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator

Location = Literal["cell", "corner"]
Boundary = Literal["periodic", "replicate", "zero"]


class Section(BaseModel):
    """Base of every section: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def by_kind(preset: str) -> Discriminator:
    """Choose among sections by their key ``kind``; without it, `preset`. Each is tagged with its kind."""

    def kind(value: Any) -> Any:
        read: Callable[..., Any] = value.get if isinstance(value, dict) else vars(value).get
        return read("kind", preset)

    return Discriminator(kind)
