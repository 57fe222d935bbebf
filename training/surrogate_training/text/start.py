"""A text encoder that method ``clip`` has trained, taken over by another training."""

from __future__ import annotations

from pathlib import Path

from surrogate_training.config import Recipe
from surrogate_training.methods.method import Method
from surrogate_training.methods.warm_start import StartError
from surrogate_training.runfolder import open_run
from surrogate_training.text.embedding import CaptionEmbedding
from surrogate_training.text.matcher import Matcher


def start_text(method: Method, recipe: Recipe, root: Path) -> None:
    """Load the text encoder of the run ``text.start`` into a method's first network; without one do nothing.

    Raises
    ------
    StartError
        If there is no such run, or that run is of another method, vocabulary or size.
    """
    if not recipe.text.start:
        return
    try:
        run = open_run(root / recipe.text.start)
        network, _ = run.network()
    except FileNotFoundError as error:
        raise StartError(
            f"text.start: no trained run in {root / recipe.text.start} ({error}); train it first, or set text.start: ''"
        ) from error
    theirs = run.recipe()
    captions, others = recipe.data.captions, theirs.data.captions
    assert captions is not None
    if others is None or not isinstance(network, Matcher):
        raise StartError(
            f"text.start: {run.path} is a run of method {theirs.method.kind}, expected one of method clip"
        )
    sizes = [
        (c.text.vocabulary, c.length, t.width, t.layers, t.heads)
        for c, t in ((captions, recipe.text), (others, theirs.text))
    ]
    names = (
        "data.captions.vocabulary",
        "data.captions.length",
        *(f"text.{n}" for n in ("width", "layers", "heads")),
    )
    for name, ours, other in zip(names, *sizes, strict=True):
        if ours != other:
            raise StartError(
                f"text.start: {run.path} was trained with {name} {other}, given {ours}; set what that run has"
            )
    mine = (
        method.network
        if isinstance(method.network, Matcher)
        else getattr(method.network, "embedding", None)
    )
    assert isinstance(mine, Matcher | CaptionEmbedding)
    mine.text.load_state_dict(network.text.state_dict())
