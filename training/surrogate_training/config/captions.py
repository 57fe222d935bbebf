"""Sections ``data.captions`` and ``text``: what a run is like, or what happens to it, in words; how they are read."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import Field, model_validator

from surrogate.bundle.names import PAD, UNKNOWN
from surrogate.bundle.sampler import Text
from surrogate.text import words
from surrogate_training.config.section import Section


class Phrase(Section):
    """Words for a number of a run: ``words[k]`` where it lies between ``edges[k - 1]`` and ``edges[k]``.

    Attributes
    ----------
    scalar : str
        A scalar of the file, as ``data.parameters`` are; its value at t1.
    field : str
        Instead of one: a field of the file, which the model need not see. The number is then its `measure` over the
        frame at t1.
    measure : {"rms", "mean", "largest"}
        Root mean square, mean, or largest size of the field's values.
    edges : tuple of float
        Increasing; a value at an edge belongs above it.
    words : tuple of str
        One more than edges; several words each, or none, are allowed.
    """

    scalar: str = ""
    field: str = ""
    measure: Literal["rms", "mean", "largest"] = "rms"
    edges: tuple[float, ...] = Field(min_length=1)
    words: tuple[str, ...]

    @model_validator(mode="after")
    def _fits(self) -> Phrase:
        if bool(self.scalar) == bool(self.field):
            raise ValueError("a phrase is of a scalar or of a field: give one of the two")
        if list(self.edges) != sorted(set(self.edges)) or len(self.words) != len(self.edges) + 1:
            raise ValueError(
                f"edges {self.edges} and words {self.words}: expected increasing edges and one more words than edges"
            )
        return self


class Captions(Section):
    """Captions of pairs: from a table beside the data, or made from the runs' own numbers.

    Attributes
    ----------
    length : int
        Words of a caption at most.
    file : str
        Table (CSV, relative to ``data.path``) with the columns file, trajectory, frame and caption; an empty trajectory
        or frame means all of them. The caption of the frame at t1 is a pair's.
    rule : tuple of Phrase
        Instead of one: what a caption is put together from.
    vocabulary : tuple of str
        Every word that training's captions have. May be left out with a rule, which has them itself.
    dropout : float
        Share of the training samples whose caption is left out, so that the model also knows what may follow where
        nothing is said.
    """

    length: int = Field(default=16, ge=1)
    file: str = ""
    rule: tuple[Phrase, ...] = ()
    vocabulary: tuple[str, ...] = ()
    dropout: float = Field(default=0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _one_source(self) -> Captions:
        if bool(self.file) == bool(self.rule):
            raise ValueError("captions come from a file or by a rule: give one of the two")
        longest = sum(max(len(words(text)) for text in phrase.words) for phrase in self.rule)
        if longest > self.length:
            raise ValueError(
                f"the rule makes captions of up to {longest} words, expected at most length: {self.length}; raise it"
            )
        _ = self.text  # refuses a vocabulary that no caption could be made of
        return self

    @cached_property
    def text(self) -> Text:
        """Length and vocabulary as a manifest has them; in a file's order, of a rule sorted."""
        made = {word for phrase in self.rule for text in phrase.words for word in words(text)}
        found = self.vocabulary or tuple(sorted(made))
        return Text(length=self.length, vocabulary=[PAD, UNKNOWN, *found])


class TextConfig(Section):
    """The encoder of captions: a small transformer over their words.

    Attributes
    ----------
    width, layers, heads : int
        Of the transformer.
    start : str
        Run folder of method ``clip``, relative to the repository, whose encoder a training begins from; export and
        resume need it not.
    frozen : bool
        Whether the encoder stays as it is.
    """

    width: int = Field(default=64, ge=1)
    layers: int = Field(default=2, ge=0)
    heads: int = Field(default=4, ge=1)
    start: str = ""
    frozen: bool = False

    @model_validator(mode="after")
    def _heads_divide(self) -> TextConfig:
        if self.width % self.heads:
            raise ValueError(f"text.width {self.width} is no multiple of text.heads {self.heads}")
        return self
