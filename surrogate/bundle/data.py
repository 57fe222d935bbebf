"""The base of everything that a manifest holds."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0.0)]
NotNegative = Annotated[float, Field(ge=0.0)]
Name = Annotated[str, Field(min_length=1)]


class Data(BaseModel):
    """Frozen data without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")
