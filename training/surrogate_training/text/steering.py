"""Whether captions move what a model draws: frames drawn by captions, judged by encoders and by measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from surrogate.text import tokens
from surrogate_training.config import Recipe
from surrogate_training.predictor import Predictor
from surrogate_training.text.matcher import Matcher
from surrogate_training.text.measure import measure
from surrogate_training.text.retrieval import retrieval
from surrogate_training.text.shapes import Shape

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Drawn:
    """States at t1 and what was drawn of t2, shape (N, C, ny, nx), float32, by the captions."""

    u1: Array
    u2: Array
    captions: tuple[str, ...]


@torch.no_grad()
def draw(
    predictor: Predictor,
    states: Array,
    captions: Sequence[str],
    *,
    scalars: Array | None = None,
    step: int = 0,
    batch: int = 32,
) -> Drawn:
    """Draw a frame a state (N, C, ny, nx), each by its caption; "" stands for none.

    Parameters
    ----------
    predictor : Predictor
        The model.
    states, captions
        Of the same length.
    scalars : ndarray, shape (N, P), float32, optional
        The scalar parameters, of a model that has some.
    step : int
        Noise is of step ``step`` + n for state n.
    batch : int
        Frames that are drawn at a time.
    """
    config = predictor.recipe.data.captions
    assert config is not None
    inputs = []
    for n, (state, caption) in enumerate(zip(states, captions, strict=True)):
        given = np.zeros(0, np.float32) if scalars is None else scalars[n]
        parameters = np.array([*given, *tokens(caption, config.text)], np.float32)
        inputs.append(predictor.inputs_of(state[None], parameters, step=step + n))
    made = []
    for start in range(0, len(states), batch):
        u1 = torch.from_numpy(states[start : start + batch])  # (B, C, ny, nx)
        columns = zip(*inputs[start : start + batch], strict=True)
        y = predictor.model(*(torch.cat(column) for column in columns))
        made.append(predictor.scaling.state(u1, predictor.scaling.frame(u1, y)))
    return Drawn(states, torch.cat(made).numpy(), tuple(captions))


@torch.no_grad()
def judged(
    matcher: Matcher, recipe: Recipe, drawn: Drawn, *, counted: NDArray[np.bool_] | None = None
) -> dict[str, float]:
    """Retrieval of captions by frames, and of the frames by the captions: see :func:`.retrieval`.

    Parameters
    ----------
    matcher : Matcher
        Encoders that method ``clip`` has trained.
    recipe : Recipe
        That they were trained by.
    drawn : Drawn
        What is judged.
    counted : ndarray of bool, shape (N,), optional
        Frames that count; the others' captions are still there to be mistaken for theirs.
    """
    config = recipe.data.captions
    assert config is not None
    ids = torch.tensor([tokens(caption, config.text) for caption in drawn.captions])
    seen = matcher.of_pairs(torch.from_numpy(drawn.u1), torch.from_numpy(drawn.u2))
    asked = None if counted is None else torch.from_numpy(counted)
    return retrieval(matcher.of_captions(ids), seen, ids, counted=asked)


def measured(drawn: Drawn) -> dict[str, float]:
    """Share of drawn shapes whose measured size, colour and form are the caption's, and of those with all three."""
    found = [measure(increment).shape for increment in drawn.u2 - drawn.u1]
    asked = [Shape.of(caption) for caption in drawn.captions]
    right = {
        name: float(
            np.mean(
                [getattr(f, name) == getattr(a, name) for f, a in zip(found, asked, strict=True)]
            )
        )
        for name in ("size", "colour", "form")
    }
    return {"all": float(np.mean([f == a for f, a in zip(found, asked, strict=True)])), **right}


def shuffled(drawn: Drawn, *, seed: int = 0) -> Drawn:
    """The same frames beside one another's captions: what chance finds."""
    order = np.random.default_rng(seed).permutation(len(drawn.captions))
    return Drawn(drawn.u1, drawn.u2, tuple(drawn.captions[n] for n in order))
