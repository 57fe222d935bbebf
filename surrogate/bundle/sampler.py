"""What a manifest says of a generative model: its sampler, and the captions that it understands."""

from __future__ import annotations

import re

from pydantic import Field, model_validator

from surrogate.bundle.data import Data, Name, Positive
from surrogate.bundle.names import PAD, UNKNOWN

_WORD = re.compile("[a-z0-9.+-]+")


class Sampler(Data):
    """How programs draw a frame: by so many evaluations of the net, chosen at each call."""

    method: Name
    """What the net was trained by, for people: ``flow``, ``edm``, ``ddpm``, …"""
    kind: Name
    """How it is integrated, for people: ``euler``, ``heun``, ``ddim``, …"""
    steps: list[int] = Field(min_length=1)
    """Evaluations of the net that there are programs for, increasing."""
    preset: int
    """That of a call which names none."""
    members: int = Field(ge=1)
    """Largest ensemble of one call."""
    guidance: Positive | None = None
    """Largest weight of the parameter ``guidance``; None: the model has no such parameter."""

    @model_validator(mode="after")
    def _steps_increase(self) -> Sampler:
        if self.steps[0] < 1 or self.steps != sorted(set(self.steps)):
            raise ValueError(
                f"sampler.steps: {self.steps} given, expected increasing numbers from 1 on"
            )
        if self.preset not in self.steps:
            raise ValueError(
                f"sampler.preset: {self.preset} given, expected one of sampler.steps {self.steps}"
            )
        return self


class Text(Data):
    """The captions that a model takes: as token ids behind the scalar parameters, one column a word."""

    length: int = Field(ge=1, le=4096)
    """Words of a caption at most; shorter ones are filled with id 0."""
    vocabulary: list[str] = Field(min_length=2)
    """By token id: ``<pad>``, ``<unknown>``, then words of ``[a-z0-9.+-]``."""

    @model_validator(mode="after")
    def _words_can_be_found(self) -> Text:
        if self.vocabulary[:2] != [PAD, UNKNOWN]:
            raise ValueError(
                f"text.vocabulary: begins with {self.vocabulary[:2]}, expected {[PAD, UNKNOWN]}"
            )
        seen: set[str] = set()
        for word in self.vocabulary[2:]:
            if not _WORD.fullmatch(word):
                raise ValueError(
                    f"text.vocabulary: {word!r} given, expected a word of the characters [a-z0-9.+-]"
                )
            if word in seen:
                raise ValueError(f"text.vocabulary: {word!r} stands twice")
            seen.add(word)
        return self
